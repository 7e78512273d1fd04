package tidy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"path"
	"strings"
	"unicode/utf8"
)

// The bounds on what a reader has to take in at once. Generated files are exempt; the one
// dispatch switch of a state machine may be, by an exception.
const (
	fileLinesMax     = 500
	functionLinesMax = 70
	lineColumnsMax   = 100
	tabColumns       = 4 // how wide a tab is shown
)

// checkSizes finds files, functions and lines that are too long.
func checkSizes(t *tree) (found []finding) {
	for _, f := range t.files {
		if f.generated {
			continue
		}
		lines := f.lines()
		if len(lines) > fileLinesMax {
			found = append(found, finding{f.path, 0, "file", fmt.Sprintf(
				"%d lines, at most %d: make a file for another noun", len(lines), fileLinesMax)})
		}
		for i, line := range lines {
			n := columns(line)
			if n > lineColumnsMax && !strings.Contains(line, "://") {
				found = append(found, finding{f.path, i + 1, "line", fmt.Sprintf(
					"%d columns, at most %d", n, lineColumnsMax)})
			}
		}
		found = append(found, longFunctions(t, f)...)
	}
	return found
}

// columns returns how wide a line is shown.
func columns(line string) int {
	return utf8.RuneCountInString(line) + (tabColumns-1)*strings.Count(line, "\t")
}

func longFunctions(t *tree, f *goFile) (found []finding) {
	check := func(name string, n ast.Node) {
		if lines := t.line(n.End()) - t.line(n.Pos()) + 1; lines > functionLinesMax {
			found = append(found, finding{f.path, t.line(n.Pos()), name, fmt.Sprintf(
				"%s has %d lines, at most %d", name, lines, functionLinesMax)})
		}
	}
	for _, decl := range f.syntax.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			check(d.Name.Name, &ast.BlockStmt{Lbrace: d.Type.Pos(), Rbrace: d.End() - 1})
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if literal, ok := n.(*ast.FuncLit); ok {
					check("func", literal)
				}
				return true
			})
		}
	}
	return found
}

// checkFormat finds Go files that gofmt would change.
func checkFormat(t *tree) (found []finding) {
	for _, f := range t.files {
		formatted, err := format.Source(f.data)
		if err == nil && !bytes.Equal(formatted, f.data) {
			found = append(found,
				finding{path: f.path, name: "gofmt", text: "gofmt would change it"})
		}
	}
	return found
}

// checkNames finds packages named after nothing, and files named so that the compiler or a
// reader is misled.
func checkNames(t *tree) (found []finding) {
	empty := make(map[string]bool)
	for _, name := range strings.Fields(
		"base common core helper helpers lib misc pkg shared types util utils") {
		empty[name] = true
	}
	dirs, files := t.packages()
	for _, dir := range dirs {
		for part := dir; part != "."; part = path.Dir(part) {
			if name := path.Base(part); empty[name] {
				found = append(found, finding{path: dir, name: name, text: fmt.Sprintf(
					"%q says nothing about what is in the package: name the thing", name)})
			}
		}
		for _, f := range files[dir] {
			base := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".go"), "_test")
			if empty[base] {
				found = append(found, finding{path: f.path, name: base, text: fmt.Sprintf(
					"%q says nothing about what is in the file: name the thing", base)})
			}
			name := f.syntax.Name.Name
			if word := strings.TrimSuffix(name, "_test"); word != strings.ToLower(word) ||
				strings.Contains(word, "_") {
				found = append(found, finding{path: f.path, name: name, text: fmt.Sprintf(
					"the package name %q is not one lower-case word", name)})
			}
		}
	}
	return found
}
