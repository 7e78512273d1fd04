package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// checkGlobals finds package variables that can hold state. What remains are errors, tables
// that nobody writes to, compiled patterns, embedded files and proofs that a type implements an
// interface.
func checkGlobals(t *tree) (found []finding) {
	dirs, files := t.packages()
	for _, dir := range dirs {
		written := writtenGlobals(t, files[dir])
		for _, f := range files[dir] {
			if f.test {
				continue
			}
			for _, decl := range f.syntax.Decls {
				d, ok := decl.(*ast.GenDecl)
				if !ok || d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					found = append(found, badGlobals(t, f, d, spec.(*ast.ValueSpec), written)...)
				}
			}
		}
	}
	return found
}

func badGlobals(
	t *tree, f *goFile, d *ast.GenDecl, s *ast.ValueSpec, written map[string]string,
) (found []finding) {
	for i, name := range s.Names {
		if name.Name == "_" || embedded(d.Doc) || embedded(s.Doc) {
			continue
		}
		text := ""
		if where, ok := written[name.Name]; ok {
			text = fmt.Sprintf("the global %s is changed at %s", name.Name, where)
		} else if i < len(s.Values) && !constant(s.Values[i]) ||
			i >= len(s.Values) && !isArray(s.Type) {
			text = fmt.Sprintf("the global %s is neither an error nor a table", name.Name)
		}
		if text != "" {
			found = append(found, finding{f.path, t.line(name.Pos()), name.Name,
				text + ": state belongs to a value that is passed down"})
		}
	}
	return found
}

// embedded reports whether the variable is filled by the compiler.
func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, comment := range doc.List {
		if strings.HasPrefix(comment.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// isArray reports whether a type without a value is an array, that is zeros.
func isArray(typ ast.Expr) bool {
	array, ok := typ.(*ast.ArrayType)
	return ok && array.Len != nil
}

// constant reports whether a value is as good as a constant while nobody writes to it.
func constant(value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.BasicLit, *ast.FuncLit:
		return true
	case *ast.Ident:
		return v.Name == "nil" || v.Name == "true" || v.Name == "false"
	case *ast.CompositeLit:
		return !strings.HasPrefix(typeName(v.Type), "sync.") &&
			!strings.HasPrefix(typeName(v.Type), "atomic.")
	case *ast.UnaryExpr:
		literal, ok := v.X.(*ast.CompositeLit)
		return ok && strings.HasSuffix(typeName(literal.Type), "Error")
	case *ast.CallExpr:
		name := typeName(v.Fun)
		switch name {
		case "errors.New", "fmt.Errorf", "amqp.NewError", "NewError", "regexp.MustCompile",
			"strings.NewReplacer", "netip.MustParsePrefix", "time.Unix", "make":
			return true
		}
		// A conversion, or a function that builds a table, such as crc32.MakeTable.
		_, array := v.Fun.(*ast.ArrayType)
		return array || strings.HasSuffix(name, "Table") || strings.HasSuffix(name, "table")
	}
	return false
}

// typeName returns the name of a type or function as it is written, or "".
func typeName(typ ast.Expr) string {
	switch x := typ.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		if pkg, ok := x.X.(*ast.Ident); ok {
			return pkg.Name + "." + x.Sel.Name
		}
	case *ast.IndexExpr:
		return typeName(x.X)
	}
	return ""
}

// writtenGlobals returns the package variables that code assigns to, or takes the address of,
// and where.
func writtenGlobals(t *tree, files []*goFile) map[string]string {
	written := make(map[string]string)
	for _, f := range files {
		if f.test {
			continue
		}
		mark := func(target ast.Expr, at token.Pos) {
			name, ok := global(f.syntax, target)
			if ok && written[name] == "" {
				written[name] = f.path + ":" + strconv.Itoa(t.line(at))
			}
		}
		for _, decl := range f.syntax.Decls {
			body, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(body, func(n ast.Node) bool {
				switch s := n.(type) {
				case *ast.AssignStmt:
					for _, left := range s.Lhs {
						if s.Tok != token.DEFINE {
							mark(left, s.Pos())
						}
					}
				case *ast.IncDecStmt:
					mark(s.X, s.Pos())
				case *ast.UnaryExpr:
					if s.Op == token.AND {
						mark(s.X, s.Pos())
					}
				case *ast.CallExpr:
					if name := typeName(s.Fun); name == "delete" || name == "clear" {
						mark(s.Args[0], s.Pos())
					}
				}
				return true
			})
		}
	}
	return written
}

// global returns the name of the package variable that target is, or is a part of. The parser
// resolves names within a file, so what it leaves unresolved is another file's, or an import.
func global(file *ast.File, target ast.Expr) (name string, ok bool) {
	for {
		switch x := target.(type) {
		case *ast.IndexExpr:
			target = x.X
		case *ast.SelectorExpr:
			target = x.X
		case *ast.ParenExpr:
			target = x.X
		case *ast.StarExpr:
			target = x.X
		case *ast.Ident:
			return x.Name, x.Obj == nil || file.Scope.Lookup(x.Name) == x.Obj
		default:
			return "", false
		}
	}
}
