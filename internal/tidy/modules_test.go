package tidy

import (
	"fmt"
	"strconv"
	"strings"
)

// dependenciesPage is where each module we depend on stands with its reason.
const dependenciesPage = "docs/decisions/dependencies.md"

// checkModules compares go.mod with the table of dependencies, and what the binary imports with
// what the table says is in the binary. So the binary grows in a review, or not at all.
func checkModules(t *tree) (found []finding) {
	mod := t.find("go.mod")
	if mod == nil {
		return []finding{{path: "go.mod", name: "go.mod", text: "the tree has no go.mod"}}
	}
	page := t.find(dependenciesPage)
	if page == nil {
		return []finding{{path: dependenciesPage, name: "page",
			text: "the page that gives the reason for each dependency is missing"}}
	}
	table := listed(page)
	required := make(map[string]bool)
	for _, m := range requirements(mod) {
		required[m.name] = true
		row, ok := table[m.name]
		switch {
		case !ok:
			found = append(found, finding{mod.path, m.line, m.name, fmt.Sprintf(
				"%s is not in %s: give the reason for it", m.name, dependenciesPage)})
		case row.used != "binary" && row.used != "tests" && row.used != "tools":
			found = append(found, finding{page.path, row.line, m.name, fmt.Sprintf(
				"%s is used in %q: say binary, tests or tools", m.name, row.used)})
		case row.reason == "":
			found = append(found, finding{page.path, row.line, m.name, m.name + " has no reason"})
		}
	}
	for _, m := range requirements(page) {
		if !required[m.name] {
			found = append(found, finding{page.path, m.line, m.name,
				m.name + " is not required by go.mod any more"})
		}
	}
	return append(found, importedOutsideTests(t, table)...)
}

// importedOutsideTests finds modules for tests in files that are not tests.
func importedOutsideTests(t *tree, table map[string]module) (found []finding) {
	for _, f := range t.files {
		p, _ := placeOf(f.dir)
		if f.test || isSuite(f.dir) || p.floor == above {
			continue
		}
		for _, spec := range f.syntax.Imports {
			importPath, _ := strconv.Unquote(spec.Path.Value)
			for name, row := range table {
				if row.used != "binary" && below(importPath, name) {
					found = append(found, finding{f.path, t.line(spec.Pos()), name, fmt.Sprintf(
						"the binary imports %s, which is for %s", importPath, row.used)})
				}
			}
		}
	}
	return found
}

// module is a module's line in go.mod, or in the table of dependencies.
type module struct {
	name, used, reason string
	line               int
}

// listed returns the table of a page by module.
func listed(page *textFile) map[string]module {
	table := make(map[string]module)
	for _, m := range requirements(page) {
		table[m.name] = m
	}
	return table
}

// requirements reads the lines of go.mod that require a module, or the rows
// "| `module` | where used | reason |" of a table.
func requirements(f *textFile) (all []module) {
	block := false
	for i, line := range f.lines() {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "| `"):
			cells := strings.Split(strings.Trim(line, "|"), "|")
			m := module{name: strings.Trim(strings.TrimSpace(cells[0]), "`"), line: i + 1}
			if len(cells) == 3 {
				m.used, m.reason = strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
			}
			all = append(all, m)
		case line == "require (":
			block = true
		case line == ")":
			block = false
		case block || strings.HasPrefix(line, "require "):
			fields := strings.Fields(strings.TrimPrefix(line, "require "))
			if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
				all = append(all, module{name: fields[0], line: i + 1})
			}
		}
	}
	return all
}
