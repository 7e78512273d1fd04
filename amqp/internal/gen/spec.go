package main

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
)

// spec is the part of an AMQP specification that the generator uses.
type spec struct {
	Constants []constant `xml:"constant"`
	Domains   []domain   `xml:"domain"`
	Classes   []class    `xml:"class"`
}

type constant struct {
	Name  string `xml:"name,attr"`
	Value uint16 `xml:"value,attr"`
	Class string `xml:"class,attr"`
}

type domain struct {
	Name string `xml:"name,attr"`
	Type string `xml:"type,attr"`
}

type class struct {
	Name    string   `xml:"name,attr"`
	Index   uint16   `xml:"index,attr"`
	Methods []method `xml:"method"`
}

type method struct {
	Name    string  `xml:"name,attr"`
	Index   uint16  `xml:"index,attr"`
	Content int     `xml:"content,attr"`
	Fields  []field `xml:"field"`
}

type field struct {
	Name     string `xml:"name,attr"`
	Domain   string `xml:"domain,attr"`
	Type     string `xml:"type,attr"`
	Reserved int    `xml:"reserved,attr"`
}

// parseSpecs merges documents in order: a class in a later one adds its methods to the
// class of the same name. It sorts by number, so that the output does not depend on the
// order inside the files, and gives every field its elementary type.
func parseSpecs(docs ...[]byte) (*spec, error) {
	var all spec
	for _, doc := range docs {
		var s spec
		if err := xml.Unmarshal(doc, &s); err != nil {
			return nil, fmt.Errorf("parse specification: %w", err)
		}
		all.Constants = append(all.Constants, s.Constants...)
		all.Domains = append(all.Domains, s.Domains...)
		for _, c := range s.Classes {
			i := slices.IndexFunc(all.Classes, func(o class) bool { return o.Name == c.Name })
			if i < 0 {
				all.Classes = append(all.Classes, c)
				continue
			}
			all.Classes[i].Methods = append(all.Classes[i].Methods, c.Methods...)
		}
	}
	byValue := func(a, b constant) int { return cmp.Compare(a.Value, b.Value) }
	slices.SortStableFunc(all.Constants, byValue)
	slices.SortFunc(all.Classes, func(a, b class) int { return cmp.Compare(a.Index, b.Index) })
	for i := range all.Classes {
		byIndex := func(a, b method) int { return cmp.Compare(a.Index, b.Index) }
		slices.SortFunc(all.Classes[i].Methods, byIndex)
	}
	return &all, all.resolve()
}

// resolve replaces domains by their types and refuses what would generate wrong code.
func (s *spec) resolve() error {
	types := map[string]string{}
	for _, d := range s.Domains {
		types[d.Name] = d.Type
	}
	seen := map[string]bool{}
	once := func(name string) error {
		if seen[name] {
			return fmt.Errorf("%s is defined twice", name)
		}
		seen[name] = true
		return nil
	}
	for _, c := range s.Constants {
		if err := once("constant " + c.Name); err != nil {
			return err
		}
	}
	for _, c := range s.Classes {
		for _, m := range c.Methods {
			if err := once(c.Name + "." + m.Name); err != nil {
				return err
			}
			if err := once(fmt.Sprintf("method %d,%d", c.Index, m.Index)); err != nil {
				return err
			}
			if err := m.resolve(types); err != nil {
				return fmt.Errorf("%s.%s: %w", c.Name, m.Name, err)
			}
		}
	}
	return nil
}

// resolve gives the fields their types. The bits of a method must stand together and fit
// into one octet: that is so in AMQP 0-9-1, and the generated code relies on it.
func (m method) resolve(types map[string]string) error {
	first, bits := 0, 0
	for i := range m.Fields {
		f := &m.Fields[i]
		if f.Domain != "" {
			f.Type = types[f.Domain]
		}
		if _, ok := goTypes[f.Type]; !ok {
			return fmt.Errorf("field %s has unknown type %q", f.Name, f.Type)
		}
		if f.Type != "bit" {
			continue
		}
		if bits++; bits == 1 {
			first = i
		}
		if i != first+bits-1 || bits > 8 {
			return fmt.Errorf("the bits from %s on do not share an octet", f.Name)
		}
	}
	return nil
}
