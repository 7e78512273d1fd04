package tidy

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// modulePath is the import path of the module, and so the prefix of our own imports.
const modulePath = "github.com/warrenmq/warren"

// finding is one place where a rule is broken.
type finding struct {
	path string // of the file or folder, from the root of the tree, with slashes
	line int    // 0 when the whole file is meant
	name string // the package, function, variable or module, as exceptions refer to it
	text string // what is wrong, and what to do about it
}

func (f finding) String() string {
	if f.line == 0 {
		return f.path + ": " + f.text
	}
	return f.path + ":" + strconv.Itoa(f.line) + ": " + f.text
}

// textFile is any file of the tree that holds text.
type textFile struct {
	path string
	data []byte
}

// lines returns the file's lines without their line ends.
func (f *textFile) lines() []string {
	text := strings.TrimSuffix(string(f.data), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// goFile is a Go source file, parsed.
type goFile struct {
	textFile
	dir       string // "." for the root package
	syntax    *ast.File
	test      bool // its name ends in _test.go
	generated bool // its name ends in _gen.go, or it says so on its first line
}

// tree is what the rules look at: all text files below one folder.
type tree struct {
	fset  *token.FileSet
	text  []*textFile     // everything, Go files included, sorted by path
	files []*goFile       // the Go files, sorted by path
	names map[string]bool // of all files and folders, those that are not read included
}

// line returns the line number of pos.
func (t *tree) line(pos token.Pos) int { return t.fset.Position(pos).Line }

// packages returns the Go files by folder, and the folders in order.
func (t *tree) packages() (dirs []string, files map[string][]*goFile) {
	files = make(map[string][]*goFile)
	for _, f := range t.files {
		if files[f.dir] == nil {
			dirs = append(dirs, f.dir)
		}
		files[f.dir] = append(files[f.dir], f)
	}
	sort.Strings(dirs)
	return dirs, files
}

// find returns the file at path, or nil.
func (t *tree) find(path string) *textFile {
	for _, f := range t.text {
		if f.path == path {
			return f
		}
	}
	return nil
}

// name remembers that there is a file or folder at this path.
func (t *tree) name(at string) {
	for ; !t.names[at]; at = path.Dir(at) {
		t.names[at] = true
	}
}

// newTree parses files, given by path.
func newTree(files map[string][]byte) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), names: make(map[string]bool)}
	for name, data := range files {
		t.text = append(t.text, &textFile{path: name, data: data})
		t.name(name)
	}
	sort.Slice(t.text, func(i, j int) bool { return t.text[i].path < t.text[j].path })
	for _, text := range t.text {
		if path.Ext(text.path) != ".go" {
			continue
		}
		syntax, err := parser.ParseFile(t.fset, text.path, text.data, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("tidy: parse %s: %w", text.path, err)
		}
		t.files = append(t.files, &goFile{
			textFile: *text,
			dir:      path.Dir(text.path),
			syntax:   syntax,
			test:     strings.HasSuffix(text.path, "_test.go"),
			generated: strings.HasSuffix(text.path, "_gen.go") ||
				bytes.HasPrefix(text.data, []byte("// Code generated ")),
		})
	}
	return t, nil
}

// fileSizeMax bounds what is read as text; a larger file is data.
const fileSizeMax = 1 << 20

// readTree reads the tree below root. It leaves out what the rules do not concern: hidden
// folders except .ci, other people's modules, binary files, and data a broker left. Of testdata
// it takes the names only.
func readTree(root string) (*tree, error) {
	files := make(map[string][]byte)
	var unread []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if skipped(filepath.ToSlash(rel)) {
				return fs.SkipDir
			}
			return nil
		}
		rel = filepath.ToSlash(rel)
		if strings.Contains("/"+rel, "/testdata/") {
			unread = append(unread, rel)
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a neighbour's temporary file
		}
		if err != nil {
			return err
		}
		if len(data) <= fileSizeMax && bytes.IndexByte(data, 0) < 0 {
			files[rel] = data
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tidy: read the tree: %w", err)
	}
	t, err := newTree(files)
	if err == nil {
		for _, name := range unread {
			t.name(name)
		}
	}
	return t, err
}

// skipped reports whether the folder dir is none of the rules' business.
func skipped(dir string) bool {
	base := path.Base(dir)
	switch {
	case dir == ".", base == ".ci":
		return false
	case strings.HasPrefix(base, "."), base == "node_modules", base == "vendor",
		base == "warren-data", dir == "bench/out":
		return true
	}
	return false
}

// parseArchive splits the text of a fixture, in which a line "-- path --" starts each file.
func parseArchive(data []byte) map[string][]byte {
	files := make(map[string][]byte)
	name := ""
	for _, line := range bytes.SplitAfter(data, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "-- ") && strings.HasSuffix(text, " --") {
			name = strings.TrimSpace(text[3 : len(text)-3])
			files[name] = nil
			continue
		}
		if name != "" {
			files[name] = append(files[name], line...)
		}
	}
	return files
}
