// Package layering keeps the house in order: which room may import which, and
// what core packages must not touch because a result would depend on it.
package layering

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the path that rooms are found under.
const Module = "github.com/scalelab/scalelab"

// room is a folder with what lies inside it, and what it may import of the
// project. A folder belongs to the room with the longest matching path.
type room struct {
	path  string
	below []string // rooms it may import; with /... also the rooms inside
	// core rooms must not depend on the clock, the environment, files, or dice.
	core bool
	// clientGo says that the room needs client-go, which compiles slowly.
	clientGo bool
}

// rooms is the design's table, from top to bottom.
var rooms = []room{
	{path: "cmd", below: []string{"report", "bench", "scenarios/...", "sim/...", "scaling/...", "k8shelper/...", "messages", "config", "logger"}, clientGo: true},
	{path: "report", below: []string{"report/html", "report/plot", "bench", "sim", "messages"}},
	{path: "report/html"},
	{path: "report/plot"},
	{path: "bench", below: []string{"scenarios", "sim", "sim/random", "scaling", "messages"}},
	{path: "scenarios", below: []string{"sim", "sim/metrics", "sim/cluster", "sim/traffic", "sim/random", "scaling/...", "messages"}},
	{path: "sim/clientset", below: []string{"sim", "sim/cluster", "sim/event", "scaling/...", "k8shelper/...", "messages"}, core: true, clientGo: true},
	{path: "sim", below: []string{"sim/metrics", "sim/cluster", "sim/traffic", "sim/random", "sim/event", "scaling", "scaling/hpa", "scaling/elasti", "scaling/keda", "scaling/knative", "messages"}, core: true},
	{path: "sim/metrics", below: []string{"sim/cluster", "sim/event", "sim/random", "messages"}, core: true},
	{path: "sim/cluster", below: []string{"sim/random", "sim/event", "scaling/elasti/hold", "messages"}, core: true},
	{path: "sim/traffic", below: []string{"sim/random", "messages"}, core: true},
	{path: "sim/random", below: []string{"messages"}, core: true},
	{path: "sim/event", core: true},
	{path: "scaling/handler", below: []string{"scaling/...", "k8shelper", "messages", "config", "logger"}, core: true, clientGo: true},
	{path: "k8shelper", below: []string{"messages", "config", "logger"}, core: true, clientGo: true},
	{path: "scaling/hpa", below: []string{"scaling", "scaling/trail", "messages"}, core: true},
	{path: "scaling/elasti", below: []string{"scaling", "scaling/elasti/hold", "messages"}, core: true},
	{path: "scaling/elasti/resolver", below: []string{"scaling/elasti/hold", "messages", "logger"}, core: true},
	{path: "scaling/elasti/hold", below: []string{"messages"}, core: true},
	{path: "scaling/keda", below: []string{"scaling", "scaling/cron", "scaling/hpa", "scaling/trail", "messages"}, core: true},
	{path: "scaling/knative", below: []string{"scaling", "scaling/trail", "messages"}, core: true},
	{path: "scaling/trail", below: []string{"messages"}, core: true},
	{path: "scaling/prometheus", below: []string{"scaling", "messages"}},
	{path: "scaling/requestcount", below: []string{"scaling", "messages"}, core: true},
	{path: "scaling/cron", below: []string{"scaling", "messages"}, core: true},
	{path: "scaling", below: []string{"messages"}, core: true},
	{path: "messages/notify", below: []string{"messages"}, core: true},
	{path: "messages", core: true},
	{path: "logger", core: true},
	{path: "config"},
	{path: "examples", below: []string{"scaling/...", "k8shelper/...", "messages/...", "config", "logger"}, clientGo: true},
	{path: "internal"},
}

// banned are what a core package must not call: the result would depend on the
// day, the machine or the process.
var banned = map[string][]string{
	"time":           {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"os":             {"Getenv", "LookupEnv", "Environ", "Open", "ReadFile", "Create", "Stdin", "Stdout", "Stderr"},
	"runtime":        {"NumCPU", "GOMAXPROCS", "NumGoroutine"},
	"math/rand":      nil, // the whole package
	"math/rand/v2":   nil,
	"crypto/rand":    nil,
	"hash/maphash":   nil,
	"os/exec":        nil,
	"net/http/pprof": nil,
}

// Violation is a line that breaks the order of the house.
type Violation struct {
	Position token.Position
	Problem  string
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s", v.Position, v.Problem) }

// Check reads every Go file below the module's root that is no test, and
// reports what breaks the order.
func Check(root fs.FS) ([]Violation, error) {
	var found []Violation
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := path.Base(name); name != "." && (base == "testdata" || base == "conformance" || base[0] == '.') {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || !strings.Contains(name, "/") {
			return nil
		}
		violations, err := checkFile(root, name)
		found = append(found, violations...)
		return err
	})
	return found, err
}

func checkFile(root fs.FS, name string) ([]Violation, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	here, known := roomOf(path.Dir(name))
	if !known {
		return []Violation{{files.Position(file.Package), fmt.Sprintf("%s is no room of the house: give it a place in internal/layering", path.Dir(name))}}, nil
	}
	var found []Violation
	report := func(at token.Pos, format string, args ...any) {
		found = append(found, Violation{files.Position(at), fmt.Sprintf(format, args...)})
	}
	aliases := map[string]string{} // of imports that have banned names
	for _, imported := range file.Imports {
		target, _ := strconv.Unquote(imported.Path.Value)
		if problem := importProblem(here, path.Dir(name), target); problem != "" {
			report(imported.Pos(), "%s", problem)
		}
		if _, watched := banned[target]; watched {
			alias := path.Base(strings.TrimSuffix(target, "/v2"))
			if imported.Name != nil {
				alias = imported.Name.Name
			}
			aliases[alias] = target
		}
	}
	if !here.core {
		return found, nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := selector.X.(*ast.Ident); ok && slices.Contains(banned[aliases[pkg.Name]], selector.Sel.Name) {
			report(selector.Pos(), "%s.%s in a core package: instants, settings and dice come in as arguments", pkg.Name, selector.Sel.Name)
		}
		return true
	})
	return found, nil
}

// importProblem says what is wrong with an import, or nothing.
func importProblem(here room, folder, target string) string {
	if names, watched := banned[target]; here.core && watched && names == nil {
		return fmt.Sprintf("%s in a core package: every consumer of randomness has its own named stream", target)
	}
	if strings.HasPrefix(target, "k8s.io/client-go") && !here.clientGo {
		return fmt.Sprintf("%s must not need client-go (%s)", here.path, target)
	}
	inside, ours := strings.CutPrefix(target, Module+"/")
	if !ours || here.path == "internal" {
		return ""
	}
	there, known := roomOf(inside)
	if !known {
		return fmt.Sprintf("%s is no room of the house", inside)
	}
	if there.path == here.path || there.path == "internal" {
		return ""
	}
	if !slices.ContainsFunc(here.below, there.covered) {
		return fmt.Sprintf("%s must not import %s: the arrow points up", folder, inside)
	}
	return ""
}

// roomOf is the room that a folder belongs to.
func roomOf(folder string) (room, bool) {
	best, found := room{}, false
	for _, r := range rooms {
		if within(folder, r.path) && len(r.path) > len(best.path) {
			best, found = r, true
		}
	}
	return best, found
}

// covered says whether an entry of another room's list means this room.
func (r room) covered(entry string) bool {
	if all, ok := strings.CutSuffix(entry, "/..."); ok {
		return within(r.path, all)
	}
	return r.path == entry
}

func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}
