package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the texts that the scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"scalelab": main})
}

// TestScripts runs the command line the way people do. Beside testscript's own
// commands the scripts know:
//
//	exits CODE program [args...]  the program ends with exactly this code
//	json FILE PATH VALUE          the JSON of FILE has the VALUE at results.0.seed
//	let NAME FILE PATH            puts such a value into the environment
//	columns FILE MOST             no line is wider
//	holds DIR [names...]          the directory has these files and no other
//	calm FILE                     no control characters
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "")
			env.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE")) // else every process sleeps a second under -race
			return os.CopyFS(env.WorkDir, os.DirFS("testdata/shop"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"json":    hasValue,
			"let":     let,
			"columns": columns,
			"holds":   holds,
			"calm":    calm,
		},
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
	})
}

// plainly refuses ! before commands that do not know it, and wrong numbers of
// arguments.
func plainly(ts *testscript.TestScript, negated bool, args []string, least int) {
	if negated || len(args) < least {
		ts.Fatalf("found %d arguments, expected %d or more and no !", len(args), least)
	}
}

func exits(ts *testscript.TestScript, negated bool, args []string) {
	plainly(ts, negated, args, 2)
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Fatalf("%v", err)
		}
		code = ended.ExitCode()
	}
	if code != want {
		ts.Fatalf("found exit code %d, expected %d", code, want)
	}
}

// value reads a value such as results.0.seed of a JSON file.
func value(ts *testscript.TestScript, file, path string) string {
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	decoder.UseNumber()
	var v any
	ts.Check(decoder.Decode(&v))
	for key := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			child, ok := at[key]
			if !ok {
				ts.Fatalf("%s: %s: found no key %s", file, path, key)
			}
			v = child
		case []any:
			if key == "length" {
				return strconv.Itoa(len(at))
			}
			i, err := strconv.Atoi(key)
			ts.Check(err)
			if i >= len(at) {
				ts.Fatalf("%s: %s: found %d values", file, path, len(at))
			}
			v = at[i]
		default:
			ts.Fatalf("%s: %s: found %v before %s", file, path, v, key)
		}
	}
	if text, ok := v.(string); ok {
		return text
	}
	text, err := json.Marshal(v)
	ts.Check(err)
	return string(text)
}

func hasValue(ts *testscript.TestScript, negated bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("found %d arguments, expected FILE PATH VALUE", len(args))
	}
	if v := value(ts, args[0], args[1]); (v == args[2]) == negated {
		ts.Fatalf("%s: found %s", args[1], v)
	}
}

func let(ts *testscript.TestScript, negated bool, args []string) {
	plainly(ts, negated, args, 3)
	ts.Setenv(args[0], value(ts, args[1], args[2]))
}

func columns(ts *testscript.TestScript, negated bool, args []string) {
	plainly(ts, negated, args, 2)
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > most {
			ts.Fatalf("found %d columns, expected at most %d: %s", n, most, line)
		}
	}
}

func holds(ts *testscript.TestScript, negated bool, args []string) {
	plainly(ts, negated, args, 1)
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	found := []string{}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	if want := slices.Sorted(slices.Values(args[1:])); !slices.Equal(found, want) {
		ts.Fatalf("found the files %q, expected %q", found, want)
	}
}

func calm(ts *testscript.TestScript, negated bool, args []string) {
	plainly(ts, negated, args, 1)
	text := ts.ReadFile(args[0])
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }); i >= 0 {
		ts.Fatalf("found the control character %q at byte %d", text[i], i)
	}
}
