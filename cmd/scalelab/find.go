package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/scenarios/strict"
)

// findScenarios are the scenarios that paths name, each once: what is no
// directory stands for itself, a directory for all scenarios below it, in
// alphabetical order. DIR/... is the same as DIR.
func findScenarios(paths []string) ([]string, error) {
	var found []string
	add := func(path string) {
		if !slices.Contains(found, path) {
			found = append(found, path)
		}
	}
	for _, path := range paths {
		dir, all := strings.CutSuffix(filepath.ToSlash(path), "/...")
		if path == "..." {
			dir, all = ".", true
		}
		info, err := os.Stat(filepath.FromSlash(dir))
		switch {
		case err == nil && info.IsDir():
			below, err := scenariosBelow(filepath.FromSlash(dir))
			if err != nil {
				return nil, err
			}
			for _, file := range below {
				add(file)
			}
		case all:
			return nil, usagef("PATH: found %q, expected a directory before /...", path)
		case err == nil:
			add(filepath.Clean(path))
		case path == "-" || slices.Contains(scenarios.Names(), path):
			add(path)
		case errors.Is(err, fs.ErrNotExist):
			return nil, usagef("PATH: found %q, expected a file, a directory, - or a name from the catalogue%s", path, strict.DidYouMean(path, scenarios.Names()))
		default:
			return nil, fmt.Errorf("read %s: %w", path, errors.Unwrap(err))
		}
	}
	return found, nil
}

// scenariosBelow lists the scenarios in a directory and those in it, but for
// hidden ones.
func scenariosBelow(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if path != dir && strings.HasPrefix(entry.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		case !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)):
			return nil
		}
		is, err := isScenario(path)
		if is {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for scenarios: %w", err)
	}
	if len(found) == 0 {
		return nil, usagef("PATH: found no scenario below %q, expected .yaml files with kind: Scenario", dir)
	}
	return found, nil
}

// kindLine tells a scenario in a file that is no valid YAML.
var kindLine = regexp.MustCompile(`(?m)^["']?kind["']?:[ \t]*["']?Scenario["']?[ \t\r]*(#.*)?$`)

// isScenario says whether a file means to be a scenario. Broken ones do, so
// that they are reported; manifests and charts do not.
func isScenario(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > strict.MaxBytes {
		return false, err
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	documents, problems := strict.ParseAll(path, src)
	if len(problems) > 0 {
		return kindLine.Match(src), nil
	}
	return slices.ContainsFunc(documents, func(n *strict.Node) bool {
		kind := n.Get("kind")
		return kind != nil && kind.Text == "Scenario"
	}), nil
}
