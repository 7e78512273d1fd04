package drift

// Refusals lists what an import of wanted would not take at a broker that has present, in the
// order of an import. Why says what is wrong with an object of a kind, "" if nothing is; it is not
// asked about what an import leaves alone because it exists.
func Refusals(
	wanted, present Definitions, why func(kind string, o Object) string,
) []Difference {
	var found []Difference
	for _, k := range kinds() {
		var have map[string]Object
		if k.kept {
			have = k.byKey(present[k.name])
		}
		for _, o := range wanted[k.name] {
			for key := range k.byKey([]Object{o}) {
				if have[key] != nil {
					continue
				}
				if reason := why(k.name, o); reason != "" {
					d := k.difference(Refused, o)
					d.Why = reason
					found = append(found, d)
				}
			}
		}
	}
	return found
}

// Is reports whether two differences are about the same object.
func (d Difference) Is(other Difference) bool {
	return d.Kind == other.Kind && d.VHost == other.VHost && d.Name == other.Name
}

// Name is what an object of a kind is called in differences.
func Name(kindName string, o Object) string {
	for _, k := range kinds() {
		if k.name == kindName {
			return k.difference("", o).Name
		}
	}
	return ""
}

// Named returns the names of objects of a kind, as keys.
func (d Definitions) Named(kind string) map[string]bool {
	names := map[string]bool{}
	for _, o := range d[kind] {
		if name, ok := o["name"].(string); ok {
			names[name] = true
		}
	}
	return names
}
