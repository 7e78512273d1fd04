package tidy

import (
	"go/ast"
	"path"
	"strconv"
	"strings"
)

// impure are the packages through which the world enters: files, sockets, clocks, other
// goroutines, chance. What lies below such a package is impure too.
func impure() map[string]string {
	return map[string]string{
		"os":          "files and processes are the business of doors and of internal/disk",
		"net":         "sockets are the business of doors",
		"time":        "the time comes in as a number, with the command",
		"sync":        "whoever holds a machine holds its lock",
		"context":     "cancellation is for doors and drivers",
		"log":         "rules return effects; doors and drivers log",
		"math/rand":   "chance is injected, so that a run can be repeated",
		"crypto/rand": "chance is injected, so that a run can be repeated",
		"syscall":     "the system is the business of internal/disk and of doors",
		"runtime":     "a rule does not depend on where it runs",
	}
}

// isPure reports whether the file holds rules: the wire, floors 1 and 2, and in the packages
// beside the tower that are machines everything but their driver.go.
func isPure(f *goFile) bool {
	if f.test || isSuite(f.dir) {
		return false
	}
	switch f.dir {
	case "amqp":
		return true
	case "gossip", "group", "chord":
		return path.Base(f.path) != "driver.go"
	}
	p, ok := placeOf(f.dir)
	return ok && (p.floor == words || p.floor == ruling)
}

// checkPurity finds what would make a rule depend on more than its commands.
func checkPurity(t *tree) (found []finding) {
	for _, f := range t.files {
		if !isPure(f) {
			continue
		}
		for _, spec := range f.syntax.Imports {
			importPath, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			if text := refusePure(f.dir, importPath); text != "" {
				found = append(found, finding{f.path, t.line(spec.Pos()), importPath, text})
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.GoStmt); ok {
				found = append(found, finding{f.path, t.line(s.Pos()), "go",
					"a pure package starts a goroutine: goroutines live above the rules"})
			}
			return true
		})
	}
	return found
}

// refusePure says why a pure package in dir may not import importPath, or nothing.
func refusePure(dir, importPath string) string {
	if target, isOurs := ours(importPath); isOurs {
		p, ok := placeOf(target)
		pure := target == "amqp" || p.floor == words || p.floor == ruling
		driven := target == "transport" && p.floor == ground && !strings.HasPrefix(dir, "internal/")
		if ok && !pure && !driven {
			return "a pure package imports " + target + ", which is not pure"
		}
		return ""
	}
	if importPath == "sync/atomic" && dir == "internal/message" {
		return "" // it counts who holds a message, which no rule looks at
	}
	for parent := importPath; parent != "."; parent = path.Dir(parent) {
		if why, ok := impure()[parent]; ok {
			return "a pure package imports " + importPath + ": " + why
		}
	}
	if first, _, _ := strings.Cut(importPath, "/"); strings.Contains(first, ".") {
		return "a pure package imports " + importPath + ": rules stand on the standard library only"
	}
	return ""
}
