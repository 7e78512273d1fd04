package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Sources say where a configuration comes from, the weakest first.
type Sources struct {
	// Files are read in this order; of a folder, all its files *.conf by their names. When there
	// are none, the environment and then the usual places are asked: see StandardFiles.
	Files []string
	// Environ is the environment as os.Environ has it.
	Environ []string
	// Flags are stronger than all.
	Flags []Flag
	// Root is the folder that stands for /, where the usual places are; default "/".
	Root string
}

// Flag is a flag of the command line that stands for a key.
type Flag struct {
	Flag, Key, Value string
}

// Load reads all sources. The error is a *Problems with everything that is wrong in them; the
// configuration that comes with it has what is right.
func Load(s Sources) (*Config, error) {
	c := &Config{table: newTable(), set: map[string]Setting{}}
	problems := &Problems{}
	r := &reader{problems: problems}
	for _, path := range s.Files {
		r.path(path, "--config "+path)
	}
	if len(s.Files) == 0 {
		s.standardFiles(c, r)
	}
	c.files, c.warnings = r.files, append(c.warnings, r.warnings...)
	c.take(r.found, s.lookup, problems)
	c.take(s.environment(c), s.lookup, problems)
	for _, f := range s.Flags {
		key, err := splitKey(f.Key)
		if err != nil {
			problems.add(f.Flag, "%v", err)
			continue
		}
		a := assignment{place: f.Flag, key: key, value: f.Value, quoted: true}
		a.instead = instead(f.Key)
		c.take([]assignment{a}, s.lookup, problems)
	}
	c.together(problems)
	if len(problems.List) > 0 {
		return c, problems
	}
	return c, nil
}

// instead is what a flag or variable for a listener takes the place of.
func instead(key string) string {
	if key == "listeners.tcp.default" {
		return "listeners.tcp"
	}
	return ""
}

// together judges what no key says alone.
func (c *Config) together(problems *Problems) {
	if len(problems.List) > 0 {
		return
	}
	for _, watermark := range []string{"vm_memory_high_watermark", "disk_free_limit"} {
		relative, both := c.set[watermark+".relative"]
		if _, ok := c.set[watermark+".absolute"]; ok && both {
			c.warn(relative.Place, "%s.relative has no effect: %[1]s.absolute is set", watermark)
		}
	}
	if err := c.Settings().Options.Validate(); err != nil {
		problems.add("configuration", "%v", err)
	}
}

// path reads a file, or the files *.conf of a folder.
func (r *reader) path(path, from string) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		found, err := filepath.Glob(filepath.Join(path, "*.conf"))
		if err != nil {
			r.problems.add(from, "%v", err)
		}
		slices.Sort(found)
		for _, file := range found {
			r.file(file, from, 0)
		}
		return
	}
	r.file(path, from, 0)
}

// lookup finds a variable of the environment; of one that is there twice, the last counts.
func (s *Sources) lookup(name string) (string, bool) {
	for _, entry := range slices.Backward(s.Environ) {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// standardFiles reads what the environment names, or the files that a system has: warren's own,
// or else RabbitMQ's.
func (s *Sources) standardFiles(c *Config, r *reader) {
	if s.namedFiles(r) {
		return
	}
	root := s.Root
	if root == "" {
		root = "/"
	}
	for _, place := range [][]string{
		{"etc/warren", "warren.conf"}, {"etc/rabbitmq", "rabbitmq.conf"},
	} {
		dir := filepath.Join(root, place[0])
		main, more := filepath.Join(dir, place[1]), filepath.Join(dir, "conf.d")
		_, noMain := os.Stat(main)
		_, noMore := os.Stat(more)
		if noMain != nil && noMore != nil {
			continue
		}
		if noMain == nil {
			r.file(main, main, 0)
		}
		if noMore == nil {
			r.path(more, more)
		}
		advanced := filepath.Join(dir, "advanced.config")
		if _, err := os.Stat(advanced); err == nil {
			c.warn(advanced, "it has no effect: Erlang terms are not read")
		}
		return
	}
}

// namedFiles reads the files that variables of the environment name, and reports whether there
// are any.
func (s *Sources) namedFiles(r *reader) (named bool) {
	for _, name := range []string{
		"WARREN_CONFIG_FILE", "RABBITMQ_CONFIG_FILE", "RABBITMQ_CONFIG_FILES",
	} {
		path, ok := s.lookup(name)
		if !ok || path == "" {
			continue
		}
		named = true
		if strings.ContainsAny(path, "*?[") {
			r.include("/", path, name, 0)
			continue
		}
		// RabbitMQ's variable may leave out how the name ends.
		if _, err := os.Stat(path); err != nil && filepath.Ext(path) != ".conf" {
			path += ".conf"
		}
		r.path(path, name)
	}
	return named
}
