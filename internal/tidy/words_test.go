package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// checkWords finds functions named init, and notes to do something later that name no issue.
func checkWords(t *tree) (found []finding) {
	later := regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b(\(#\d+\))?`)
	for _, f := range t.files {
		for _, decl := range f.syntax.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
				found = append(found, finding{f.path, t.line(d.Pos()), "init",
					"func init runs behind the reader's back: pass what it sets down at start"})
			}
		}
		for _, group := range f.syntax.Comments {
			for _, comment := range group.List {
				for _, m := range later.FindAllStringSubmatchIndex(comment.Text, -1) {
					word := comment.Text[m[2]:m[3]]
					if m[4] >= 0 && word == "TODO" {
						continue
					}
					line := t.line(comment.Pos()) + strings.Count(comment.Text[:m[0]], "\n")
					found = append(found, finding{f.path, line, word,
						"a note for later names its issue: TODO(#12)"})
				}
			}
		}
	}
	return found
}

// talks reports whether the package in dir may print: the binary, what it is made of, and
// programs that people run by hand.
func talks(dir string) bool {
	for _, parent := range []string{"cmd", "internal/cli", "bench", "conformance", "examples",
		"amqp/internal/gen"} {
		if below(dir, parent) {
			return true
		}
	}
	return false
}

// checkPrinting finds code that writes to the standard output or the standard log.
func checkPrinting(t *tree) (found []finding) {
	for _, f := range t.files {
		if talks(f.dir) {
			continue
		}
		calls(f.syntax, func(in *ast.FuncDecl, call *ast.CallExpr, pkg, name string) {
			if f.test && in != nil && strings.HasPrefix(in.Name.Name, "Example") {
				return // its output is what is tested
			}
			printing := pkg == "fmt" && strings.HasPrefix(name, "Print") ||
				pkg == "log" && !strings.HasPrefix(name, "New") ||
				pkg == "" && (name == "print" || name == "println")
			if printing {
				found = append(found, finding{f.path, t.line(call.Pos()), name, fmt.Sprintf(
					"%s prints: only the command line does; write to an io.Writer or log with "+
						"the *slog.Logger passed in", strings.TrimPrefix(pkg+"."+name, "."))})
			}
		})
	}
	return found
}

// checkTesting finds tests that wait for time to pass, or claim a port.
func checkTesting(t *tree) (found []finding) {
	port := regexp.MustCompile(`:(\d+)$`)
	for _, f := range t.files {
		if !f.test && !isSuite(f.dir) && f.dir != "internal/warrentest" {
			continue
		}
		claimed := func(name string, args []ast.Expr) {
			for _, a := range args {
				literal, ok := a.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				text, _ := strconv.Unquote(literal.Value)
				if m := port.FindStringSubmatch(text); m != nil && m[1] != "0" {
					found = append(found, finding{f.path, t.line(a.Pos()), name,
						"a test that claims port " + m[1] + " cannot run twice: listen on port 0"})
				}
			}
		}
		calls(f.syntax, func(_ *ast.FuncDecl, call *ast.CallExpr, pkg, name string) {
			if pkg == "time" && name == "Sleep" {
				found = append(found, finding{f.path, t.line(call.Pos()), "time.Sleep",
					"a test that sleeps is slow or fails at times: wait for the event, or use " +
						"testing/synctest"})
			}
			if strings.HasPrefix(name, "Listen") && (pkg == "net" || pkg == "tls") {
				claimed(name, call.Args)
			}
		})
	}
	return found
}

// calls reports every call in a file of a function by its name, with the last element of the
// import path of its package, or "" if it is called without one.
func calls(file *ast.File, report func(in *ast.FuncDecl, call *ast.CallExpr, pkg, name string)) {
	imported := make(map[string]string)
	for _, spec := range file.Imports {
		importPath, _ := strconv.Unquote(spec.Path.Value)
		name := importPath[strings.LastIndexByte(importPath, '/')+1:]
		if spec.Name != nil {
			imported[spec.Name.Name] = name
		} else {
			imported[name] = name
		}
	}
	for _, decl := range file.Decls {
		in, _ := decl.(*ast.FuncDecl)
		ast.Inspect(decl, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				if fun.Obj == nil {
					report(in, call, "", fun.Name)
				}
			case *ast.SelectorExpr:
				if x, ok := fun.X.(*ast.Ident); ok && x.Obj == nil && imported[x.Name] != "" {
					report(in, call, imported[x.Name], fun.Sel.Name)
				} else {
					report(in, call, "method", fun.Sel.Name)
				}
			}
			return true
		})
	}
}
