package tidy

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// place is where a package stands. A package imports only from places below its own.
type place struct {
	floor int
	step  int      // the order within a floor, where the plan of the house gives one
	only  []string // if not nil, the only packages of ours it imports
	by    []string // if not nil, the only packages of ours that import it
}

// The floors, from the ground up. ARCHITECTURE.md says what happens on each.
const (
	ground = iota
	words
	ruling
	keeping
	agreeing
	manager
	doors
	wiring
	above // sees everything, and nothing imports it
)

// floors is the table of all packages, by their folder. A name that ends in "/..." stands for
// everything below a folder. Packages that are planned have their place already.
func floors() map[string]place {
	none := []string{}
	return map[string]place{
		"amqp":                      {floor: ground},
		"transport":                 {floor: ground},
		"internal/disk":             {floor: ground},
		"internal/wheel":            {floor: ground},
		"internal/resource":         {floor: ground},
		"internal/poison":           {floor: ground},
		"internal/tlsconfig":        {floor: ground},
		"internal/logfile":          {floor: ground},
		"internal/seldom":           {floor: ground},
		"internal/message":          {floor: words},
		"internal/pattern":          {floor: words},
		"internal/machine":          {floor: words},
		"internal/exchange":         {floor: ruling},
		"internal/queue":            {floor: ruling},
		"internal/deadletter":       {floor: ruling},
		"internal/delay":            {floor: ruling},
		"internal/definition":       {floor: ruling, step: 1}, // it routes by the others' rules
		"internal/directory":        {floor: ruling},
		"internal/transform":        {floor: ruling},
		"internal/store":            {floor: keeping},
		"internal/store/index":      {floor: ruling},
		"internal/backup":           {floor: keeping, step: 1},
		"internal/cluster":          {floor: agreeing},
		"internal/auth":             {floor: manager},
		"internal/telemetry":        {floor: manager},
		"internal/network":          {floor: manager},
		"internal/broker":           {floor: manager, step: 1},
		"internal/protocol":         {floor: doors},
		"internal/protocol/amqp091": {floor: doors},
		"internal/protocol/control": {floor: doors},
		"internal/management/ui":    {floor: doors},
		"internal/management":       {floor: doors, step: 1},
		"internal/metrics":          {floor: doors, step: 1},
		"internal/mca":              {floor: doors},
		".":                         {floor: wiring},
		"internal/config":           {floor: wiring, step: 1},
		"internal/cli":              {floor: wiring, step: 2},
		"internal/cli/...":          {floor: wiring, step: 1}, // its personalities
		"cmd/warren":                {floor: wiring, step: 3},
		// Beside the tower: those who see a broker only through the wire.
		"client": {floor: ground, step: 1, only: none},
		"rpc":    {floor: ground, step: 2, only: []string{"client", "transport"}},
		"internal/perf": {floor: ground, step: 1, only: []string{"amqp"},
			by: []string{"internal/cli"}},
		"internal/apiclient": {floor: ground, step: 1, only: none},
		"internal/drift":     {floor: ground, step: 1, only: none},
		"internal/migrate": {floor: ground, step: 2,
			only: []string{"amqp", "internal/apiclient", "internal/drift"},
			by:   []string{"internal/cli"}},
		"internal/idl": {floor: ground, step: 1, only: none, by: []string{"internal/cli"}},
		"group":        {floor: ground, step: 1, only: []string{"transport"}},
		"gossip": {floor: ground, step: 1, only: []string{"transport"},
			by: []string{"internal/network", "."}},
		"chord": {floor: ground, step: 1, only: []string{"transport"},
			by: []string{"internal/network", "."}},
		// Above everything: tests, simulators, measurements, examples, generators.
		"internal/sim":        {floor: above},
		"internal/warrentest": {floor: above},
		"internal/crashtest":  {floor: above},
		"internal/wiretest":   {floor: above, only: []string{"amqp"}},
		"internal/tidy":       {floor: above, only: none},
		"bench/...":           {floor: above},
		"examples/...":        {floor: above, only: []string{".", "amqp", "client", "rpc"}},
		"amqp/internal/gen":   {floor: above, only: none},
		"conformance/...":     {floor: above, only: none}, // a module of its own
	}
}

// placeOf finds the place of the package in dir. A package Xtest in the folder of X holds the
// tests that every implementation of X's interface has to pass: it stands one step above X.
func placeOf(dir string) (p place, ok bool) {
	table := floors()
	if p, ok = table[dir]; ok {
		return p, true
	}
	if isSuite(dir) {
		p, ok = table[path.Dir(dir)]
		p.step, p.only = p.step+1, nil
		return p, ok
	}
	for parent := dir; parent != "."; parent = path.Dir(parent) {
		if p, ok = table[parent+"/..."]; ok {
			return p, true
		}
	}
	return place{}, false
}

// isSuite reports whether dir holds tests for the package it lies in.
func isSuite(dir string) bool {
	return path.Base(dir) == path.Base(path.Dir(dir))+"test"
}

// ours returns the folder of one of our packages from its import path.
func ours(importPath string) (dir string, ok bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

// checkFloors finds packages without a place, and imports that do not go down.
func checkFloors(t *tree) (found []finding) {
	dirs, files := t.packages()
	for _, dir := range dirs {
		own, ok := placeOf(dir)
		if !ok {
			found = append(found, finding{path: dir, name: dir, text: "the package stands on no " +
				"floor: give it a line in the table of internal/tidy/floors_test.go, and say " +
				"in ARCHITECTURE.md what happens in it if it is a new room"})
			continue
		}
		for _, f := range files[dir] {
			for _, spec := range f.syntax.Imports {
				importPath, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					continue // the compiler says so
				}
				text := ""
				if target, isOurs := ours(importPath); isOurs {
					text = refuse(dir, own, target, f.test)
				} else if importPath == "testing" && !f.test && !forTests(dir) {
					text = "code that is not a test imports testing"
				}
				if text != "" {
					found = append(found, finding{f.path, t.line(spec.Pos()), importPath, text})
				}
			}
		}
	}
	return found
}

// refuse says why the package in dir, whose place is own, may not import target, or nothing.
func refuse(dir string, own place, target string, test bool) string {
	p, known := placeOf(target)
	switch {
	case target == dir:
		return "" // a test of the package from outside
	case !known:
		return "" // found at the package itself
	case isSuite(target) && (test || isSuite(dir)):
		return ""
	case isSuite(target):
		return "code that is not a test imports " + target
	case test && (p.floor == above || target == "."):
		return "" // a test may run a whole node
	case below(dir, "conformance") && below(target, "conformance"):
		return ""
	case own.only != nil && !slices.Contains(own.only, target):
		return fmt.Sprintf("%s imports %s: it may import %s", dir, target, list(own.only))
	case p.by != nil && own.floor != above && !slices.Contains(p.by, dir):
		return fmt.Sprintf("%s imports %s, which only %s may", dir, target, list(p.by))
	case own.floor == above && p.floor == above:
		return "" // tests and tools may use each other
	case p.floor > own.floor:
		return fmt.Sprintf("%s on floor %d imports %s from floor %d above",
			dir, own.floor, target, p.floor)
	case p.floor == own.floor && p.step >= own.step:
		return fmt.Sprintf("%s imports %s: both stand on floor %d, side by side",
			dir, target, p.floor)
	}
	return ""
}

// forTests reports whether the package in dir serves tests only.
func forTests(dir string) bool {
	p, _ := placeOf(dir)
	return p.floor == above || isSuite(dir)
}

// below reports whether dir is the folder parent or lies in it.
func below(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

func list(dirs []string) string {
	if len(dirs) == 0 {
		return "nothing of ours"
	}
	return strings.Join(dirs, " and ")
}
