package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// checkPackageComments finds packages without a comment, or with two, and comments that leave
// out the place on the floors.
func checkPackageComments(t *tree) (found []finding) {
	dirs, files := t.packages()
	for _, dir := range dirs {
		var commented []string
		var text string
		for _, f := range files[dir] {
			if f.syntax.Doc != nil && !f.test {
				commented = append(commented, f.path)
				text = f.syntax.Doc.Text()
			}
		}
		add := func(format string, args ...any) {
			found = append(found, finding{path: dir, name: dir, text: fmt.Sprintf(format, args...)})
		}
		i := slices.IndexFunc(files[dir], func(f *goFile) bool { return !f.test })
		if i < 0 {
			add("the package has tests only: give it a doc.go that says what they test")
			continue
		}
		p, _ := placeOf(dir)
		ruled := p.floor >= words && p.floor <= doors
		name := files[dir][i].syntax.Name.Name
		switch {
		case len(commented) == 0:
			add("the package has no comment that says what it is")
		case len(commented) > 1:
			add("the package has several comments, in %s: one is enough",
				strings.Join(commented, " and "))
		case name != "main" && !strings.HasPrefix(text, "Package "+name+" "):
			add("the package comment does not start with %q", "Package "+name)
		case ruled && !strings.Contains(strings.ToLower(text), "floor"):
			add("the package comment does not say on which floor the package stands")
		}
	}
	return found
}

// checkDocumented finds exported names without a comment that begins with them.
func checkDocumented(t *tree) (found []finding) {
	for _, f := range t.files {
		if f.test || f.generated || f.syntax.Name.Name == "main" {
			continue
		}
		add := func(n ast.Node, name, text string) {
			found = append(found, finding{f.path, t.line(n.Pos()), name, name + " " + text})
		}
		for _, decl := range f.syntax.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && !starts(d.Doc, d.Name.Name) {
					add(d, d.Name.Name, "has no comment that starts with its name")
				}
			case *ast.GenDecl:
				checkDeclared(d, add)
			}
		}
	}
	return found
}

// checkDeclared checks the types, constants and variables of one declaration.
func checkDeclared(d *ast.GenDecl, add func(n ast.Node, name, text string)) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if !s.Name.IsExported() {
				continue
			}
			doc := s.Doc
			if doc == nil {
				doc = d.Doc
			}
			if !starts(doc, s.Name.Name) {
				add(s, s.Name.Name, "has no comment that starts with its name")
			}
			checkOptions(s, add)
		case *ast.ValueSpec:
			if d.Tok == token.CONST || d.Tok == token.VAR {
				for _, name := range s.Names {
					if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						add(name, name.Name, "has no comment, nor has its group")
					}
				}
			}
		}
	}
}

// checkOptions requires a paragraph for every field of a struct of options, but for those that
// are options themselves, or whose type has their name: its comment speaks for them.
func checkOptions(s *ast.TypeSpec, add func(n ast.Node, name, text string)) {
	fields, ok := s.Type.(*ast.StructType)
	if !ok || !strings.HasSuffix(s.Name.Name, "Options") {
		return
	}
	for _, field := range fields.Fields.List {
		if field.Doc != nil || field.Comment != nil {
			continue
		}
		for _, name := range field.Names {
			typ := typeName(field.Type)
			if name.IsExported() && typ != name.Name && !strings.HasSuffix(typ, "Options") {
				add(field, s.Name.Name+"."+name.Name, "has no comment: meaning, unit, default")
			}
		}
	}
}

// starts reports whether doc is a comment that begins with name, after an article if it must.
func starts(doc *ast.CommentGroup, name string) bool {
	if doc == nil {
		return false
	}
	text := doc.Text()
	for _, article := range []string{"", "A ", "An ", "The ", "Deprecated: "} {
		rest, ok := strings.CutPrefix(text, article+name)
		if ok && (rest == "" || !letter(rest[0])) {
			return true
		}
	}
	return false
}

func letter(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// exportedReceiver reports whether d is a function, or a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}
