package config

// Change is a key whose value is another than before.
type Change struct {
	Name   string
	Reload bool // a running node takes it
}

// Changes returns what is otherwise in c than it was in old, in the order of names.
func (c *Config) Changes(old *Config) (changes []Change) {
	before, after := map[string]Setting{}, map[string]Setting{}
	for _, s := range old.Effective() {
		before[s.Name] = s
	}
	for _, s := range c.Effective() {
		after[s.Name] = s
		if was, ok := before[s.Name]; !ok || was.Text != s.Text {
			changes = append(changes, Change{s.Name, s.Key.Reload})
		}
	}
	for _, s := range old.Effective() {
		if _, ok := after[s.Name]; !ok {
			changes = append(changes, Change{s.Name, s.Key.Reload})
		}
	}
	return changes
}
