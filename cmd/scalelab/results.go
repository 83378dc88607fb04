package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/sim"
)

// maxResultBytes bounds a file of results: some thousand runs.
const maxResultBytes = 256 << 20

// readFile reads a file, or standard input, that may be results.
func readFile(name string) ([]byte, error) {
	if name == "-" {
		return readAll("standard input", os.Stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, invalidInput{cannotRead(name, err)}
	}
	defer f.Close()
	switch info, err := f.Stat(); {
	case err != nil:
		return nil, invalidInput{cannotRead(name, err)}
	case info.IsDir():
		return nil, invalidInput{fmt.Errorf("read %s: found a directory, expected a file", name)}
	case info.Size() > maxResultBytes:
		return nil, tooLarge(name)
	}
	return readAll(name, f)
}

func readAll(name string, from io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxResultBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > maxResultBytes {
		return nil, tooLarge(name)
	}
	return text, nil
}

func tooLarge(name string) error {
	return invalidInput{fmt.Errorf("read %s: found more than %d MiB, expected results of that size at most", name, maxResultBytes>>20)}
}

func cannotRead(name string, err error) error {
	return fmt.Errorf("read %s: %w", name, cmp.Or(errors.Unwrap(err), err))
}

// isFile says whether there is such a file, or standard input.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return name == "-" || err == nil && !info.IsDir() || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// pickFlags choose among the runs of a file.
type pickFlags struct {
	autoscaler string
	seed       uint64
	seeded     bool // a seed is asked for
}

// pick keeps the runs that the flags ask for.
func (f *pickFlags) pick(runs []*sim.Result) ([]*sim.Result, error) {
	if f.autoscaler != "" {
		if err := oneOf("--autoscaler", f.autoscaler, autoscalersOf(runs)); err != nil {
			return nil, err
		}
	}
	if f.seeded {
		if err := oneOf("--seed", strconv.FormatUint(f.seed, 10), seedsOf(runs)); err != nil {
			return nil, err
		}
	}
	var kept []*sim.Result
	for _, r := range runs {
		if (f.autoscaler == "" || r.Autoscaler == f.autoscaler) && (!f.seeded || r.Seed == f.seed) {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return nil, usagef("found no run of %s with seed %d", f.autoscaler, f.seed)
	}
	return kept, nil
}

// one is the only run that the flags leave.
func (f *pickFlags) one(runs []*sim.Result) (*sim.Result, error) {
	kept, err := f.pick(runs)
	if err != nil {
		return nil, err
	}
	if len(kept) == 1 {
		return kept[0], nil
	}
	var ways []string
	if names := autoscalersOf(kept); len(names) > 1 {
		ways = append(ways, "--autoscaler of "+some(names))
	}
	if seeds := seedsOf(kept); len(seeds) > 1 {
		ways = append(ways, "--seed of "+some(seeds))
	}
	if len(ways) == 0 {
		return nil, usagef("found the same run %d times, expected it once", len(kept))
	}
	return nil, usagef("found %d runs, expected one: choose it with %s", len(kept), strings.Join(ways, " and "))
}

// some are the first of many names.
func some(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

func autoscalersOf(runs []*sim.Result) []string {
	return distinct(runs, func(r *sim.Result) string { return r.Autoscaler })
}

func seedsOf(runs []*sim.Result) []string {
	return distinct(runs, func(r *sim.Result) string { return strconv.FormatUint(r.Seed, 10) })
}

func distinct(runs []*sim.Result, of func(*sim.Result) string) []string {
	var list []string
	known := map[string]bool{}
	for _, r := range runs {
		if name := of(r); !known[name] {
			known[name] = true
			list = append(list, name)
		}
	}
	return list
}

// gather reads several files. Where two of them have the same run, their
// autoscalers are told apart by the name of the file.
func gather(files []string) (*report.Results, error) {
	for i, file := range files {
		if slices.Contains(files[:i], file) {
			return nil, usagef("found the file %q twice, expected it once", file)
		}
	}
	var all report.Results
	var origins []string
	for _, file := range files {
		text, err := readFile(file)
		if err != nil {
			return nil, err
		}
		results, err := report.Read(file, text)
		if err != nil {
			return nil, invalidInput{err}
		}
		if results.Compared && !all.Compared {
			all.Compared, all.Baseline = true, results.Baseline
		}
		for range results.Runs {
			origins = append(origins, file)
		}
		all.Runs = append(all.Runs, results.Runs...)
	}
	if len(files) > 1 && collide(all.Runs, origins) {
		tellApart(all.Runs, origins, files)
		all.Baseline = ""
	}
	return &all, nil
}

// collide says whether two files have a run of the same autoscaler and seed.
func collide(runs []*sim.Result, origins []string) bool {
	type run struct {
		autoscaler string
		seed       uint64
	}
	from := map[run]string{}
	for i, r := range runs {
		key := run{r.Autoscaler, r.Seed}
		if file, ok := from[key]; ok && file != origins[i] {
			return true
		}
		from[key] = origins[i]
	}
	return false
}

// tellApart adds the files' names to those of the autoscalers: hpa@main for one
// of main.json, or the whole path where two files are called the same.
func tellApart(runs []*sim.Result, origins, files []string) {
	short := func(file string) string {
		base := filepath.Base(file)
		return strings.TrimSuffix(base, filepath.Ext(base))
	}
	names := map[string]string{}
	for _, file := range files {
		names[file] = short(file)
		for _, other := range files {
			if other != file && short(other) == short(file) {
				names[file] = file
			}
		}
	}
	for i, r := range runs {
		r.Autoscaler += "@" + names[origins[i]]
	}
}
