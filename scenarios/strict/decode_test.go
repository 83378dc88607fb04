package strict_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scenarios/strict"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// span is a type with a short form: a bare duration.
type span struct {
	Kind string         `yaml:"kind" enum:"fixed|between"`
	Min  *time.Duration `yaml:"min,omitempty"`
	Max  *time.Duration `yaml:"max,omitempty"`
}

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return messages.Invalidf("somewhere", "found %s, expected a span", text)
	}
	*s = span{Kind: "fixed", Min: &d}
	return nil
}

type point struct {
	X float64 `yaml:"x"`
	Y float64 `yaml:"y"`
	Z float64 `yaml:"z,omitempty"`
}

type thing struct {
	Embedded `yaml:""`
	Name     string                `yaml:"name" required:"true" pattern:"^[a-z]+$"`
	Colour   string                `yaml:"colour" enum:"red|green|blue"`
	Colours  []string              `yaml:"colours" enum:"red|green|blue"`
	On       bool                  `yaml:"on"`
	Count    int32                 `yaml:"count" min:"0" max:"100"`
	Size     uint64                `yaml:"size"`
	Ratio    float64               `yaml:"ratio" max:"10"`
	Wait     time.Duration         `yaml:"wait"`
	Limit    *time.Duration        `yaml:"limit,omitempty"`
	Since    time.Time             `yaml:"since"`
	Span     span                  `yaml:"span"`
	At       *point                `yaml:"at,omitempty"`
	Path     []point               `yaml:"path,omitempty"`
	Places   map[string]point      `yaml:"places,omitempty"`
	Order    strict.Ordered[point] `yaml:"order,omitempty"`
	Nested   nested                `yaml:"nested"`
	Skipped  int                   `yaml:"-"`
}

// Embedded is inlined.
type Embedded struct {
	Inlined int `yaml:"inlined"`
}

type nested struct {
	Deep int `yaml:"deep"`
}

func decode(t *testing.T, src string) (thing, strict.Problems) {
	t.Helper()
	root, problems := strict.Parse("f.yaml", []byte(src))
	require.Empty(t, problems)
	into := thing{Colour: "red", Wait: time.Minute, Places: map[string]point{"home": {X: 1}}, Nested: nested{Deep: 7}}
	return into, strict.Decode(root, &into, strict.Options{})
}

func decodeInto(t *testing.T, src string) thing {
	t.Helper()
	root, problems := strict.Parse("f.yaml", []byte(src))
	require.Empty(t, problems)
	into := thing{Colour: "red", Wait: time.Minute, Places: map[string]point{"home": {X: 1}}, Nested: nested{Deep: 7}}
	require.Empty(t, strict.Decode(root, &into, strict.Options{}))
	return into
}

func TestDecodeFillsOverDefaults(t *testing.T) {
	got := decodeInto(t, `
name: a
inlined: 3
colours: [red, blue]
on: true
count: 12
size: 18446744073709551615
ratio: 1.5
limit: 1h30m
since: 2026-01-05T01:00:00+01:00
span: 40ms
at: {x: 1, y: -2}
path: [{x: 1, y: 2}, {x: 3, y: 4, z: 5}]
places: {work: {x: 5, y: 6}}
order: {b: {x: 1, y: 1}, a: {x: 2, y: 2}}
`)
	limit, min := 90*time.Minute, 40*time.Millisecond
	assert.Equal(t, thing{
		Embedded: Embedded{Inlined: 3},
		Name:     "a", Colour: "red", Colours: []string{"red", "blue"}, On: true, Count: 12, Size: 1<<64 - 1, Ratio: 1.5,
		Wait: time.Minute, Limit: &limit, Since: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC),
		Span:   span{Kind: "fixed", Min: &min},
		At:     &point{X: 1, Y: -2},
		Path:   []point{{1, 2, 0}, {3, 4, 5}},
		Places: map[string]point{"home": {X: 1}, "work": {X: 5, Y: 6}},
		Order:  strict.Ordered[point]{{Name: "b", Value: point{1, 1, 0}}, {Name: "a", Value: point{2, 2, 0}}},
		Nested: nested{Deep: 7},
	}, got)
	b, ok := got.Order.Get("a")
	assert.True(t, ok)
	assert.Equal(t, point{2, 2, 0}, b)
	_, ok = got.Order.Get("c")
	assert.False(t, ok)
}

func TestDecodeSays(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"a known key, misspelt":           {"name: a\ncuont: 3", `f.yaml:2:1: cuont: found an unknown key, expected one of inlined, name, colour, colours, on, count, size, ratio, wait, limit, since, span, ... (did you mean "count"?)`},
		"a key that resembles nothing":    {"name: a\nat: {x: 1, y: 2, wzzzz: 3}", `f.yaml:2:18: at.wzzzz: found an unknown key, expected one of x, y, z`},
		"a field that is left out":        {"name: a\nskipped: 1", `f.yaml:2:1: skipped: found an unknown key, expected one of inlined, name, colour, colours, on, count, size, ratio, wait, limit, since, span, ...`},
		"a list for a mapping":            {"name: a\nnested: [1]", `f.yaml:2:9: nested: found a list, expected a mapping`},
		"a mapping for a list":            {"name: a\npath: {x: 1}", `f.yaml:2:7: path: found a mapping, expected a list`},
		"a scalar for a map":              {"name: a\nplaces: 3", `f.yaml:2:9: places: found 3, expected a mapping`},
		"a scalar for an ordered map":     {"name: a\norder: x", `f.yaml:2:8: order: found x, expected a mapping`},
		"a number for a string":           {"name: 1.37", `f.yaml:1:7: name: found 1.37, expected a string such as "1.37"`},
		"a bool for a string":             {"name: true", `f.yaml:1:7: name: found true, expected a string such as "true"`},
		"a mapping for a string":          {"name: {}", `f.yaml:1:7: name: found a mapping, expected a string`},
		"text that does not match":        {"name: A-1", `f.yaml:1:7: name: found A-1, expected text that matches ^[a-z]+$`},
		"text with a line break":          {`name: "a\nb"`, `f.yaml:1:7: name: found "a\nb", expected text that matches ^[a-z]+$`},
		"nothing":                         {"name: a\ncount:", `f.yaml:2:7: count: found nothing, expected a whole number`},
		"a missing key":                   {"count: 1", `f.yaml:1:1: name: found nothing, expected a string`},
		"a missing key of a fresh value":  {"name: a\nat: {x: 1}", `f.yaml:2:5: at.y: found nothing, expected a number`},
		"a missing choice":                {"name: a\nspan: {min: 1s}", `f.yaml:2:7: span.kind: found nothing, expected one of fixed, between`},
		"a choice, misspelt":              {"name: a\ncolour: gren", `f.yaml:2:9: colour: found gren, expected one of red, green, blue (did you mean "green"?)`},
		"a choice in a list":              {"name: a\ncolours: [red, pink]", `f.yaml:2:16: colours[1]: found pink, expected one of red, green, blue`},
		"a string for a bool":             {"name: a\n\"on\": yes", `f.yaml:2:7: on: found yes, expected true or false`},
		"a string for a number":           {"name: a\nratio: fast", `f.yaml:2:8: ratio: found fast, expected a number`},
		"not a number":                    {"name: a\nratio: .nan", `f.yaml:2:8: ratio: found .nan, expected a finite decimal number`},
		"infinity":                        {"name: a\nratio: -.inf", `f.yaml:2:8: ratio: found -.inf, expected a finite decimal number`},
		"a huge number":                   {"name: a\nratio: 1e400", `f.yaml:2:8: ratio: found 1e400, expected a number of at most 1e15`},
		"a hexadecimal float":             {"name: a\nratio: 0x10", `f.yaml:2:8: ratio: found 0x10, expected a finite decimal number`},
		"a number above its bound":        {"name: a\nratio: 11", `f.yaml:2:8: ratio: found 11, expected at most 10`},
		"a fraction":                      {"name: a\ncount: 1.5", `f.yaml:2:8: count: found 1.5, expected a whole number`},
		"a whole number below its bound":  {"name: a\ncount: -1", `f.yaml:2:8: count: found -1, expected at least 0`},
		"a whole number out of range":     {"name: a\ncount: 3000000000", `f.yaml:2:8: count: found 3000000000, expected a whole number from -2147483648 to 2147483647`},
		"a negative unsigned number":      {"name: a\nsize: -1", `f.yaml:2:7: size: found -1, expected a whole number from 0 to 18446744073709551615`},
		"an ambiguous octal":              {"name: a\ncount: 010", `f.yaml:2:8: count: found 010, expected a whole number in plain decimal digits`},
		"a huge whole number":             {"name: a\ncount: 1e30", `f.yaml:2:8: count: found 1e30, expected a whole number from -2147483648 to 2147483647`},
		"NaN for a whole number":          {"name: a\ncount: .nan", `f.yaml:2:8: count: found .nan, expected a whole number`},
		"a negative duration":             {"name: a\nwait: -5s", `f.yaml:2:7: wait: found -5s, expected a duration such as 30s`},
		"a duration without a unit":       {"name: a\nwait: 30", `f.yaml:2:7: wait: found 30, expected a duration such as 30s`},
		"a duration in days":              {"name: a\nlimit: 2d", `f.yaml:2:8: limit: found 2d, expected a duration such as 30s`},
		"a duration of centuries":         {"name: a\nlimit: 900000h", `f.yaml:2:8: limit: found 900000h, expected at most 87600h`},
		"a duration beyond 64 bits":       {"name: a\nlimit: 99999999999h", `f.yaml:2:8: limit: found 99999999999h, expected at most 87600h`},
		"a date for an instant":           {"name: a\nsince: 2026-01-05", `f.yaml:2:8: since: found 2026-01-05, expected an instant such as 2026-01-05T00:00:00Z`},
		"a short form that does not read": {"name: a\nspan: soon", `f.yaml:2:7: span: found soon, expected a span`},
		"a list for a short form":         {"name: a\nspan: [1s]", `f.yaml:2:7: span: found a list, expected a mapping`},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := decode(t, c.src)
			require.Len(t, problems, 1)
			assert.Equal(t, c.want, problems[0].Error())
		})
	}
}

func TestDecodeReportsEverythingByLine(t *testing.T) {
	_, problems := decode(t, "wait: x\nratio: y\nname: a\nnoname: b")
	var lines []string
	for _, p := range problems.Sorted("f.yaml") {
		lines = append(lines, fmt.Sprint(p.Line, " ", p.Path))
	}
	assert.Equal(t, []string{"1 wait", "2 ratio", "4 noname"}, lines)
	assert.Equal(t, 3, strings.Count(problems.Error(), "found"))
	assert.True(t, problems.Below("wait"))
	assert.False(t, problems.Below("wai"))
}

func TestSortedPutsTheScenarioFirst(t *testing.T) {
	at := func(file string, line int) strict.Problem {
		return strict.Problem{Position: strict.Position{File: file, Line: line, Column: 1}, Text: "bad"}
	}
	sorted := strict.Problems{at("a", 9), at("z", 2), at("z", 1), at("z", 2)}.Sorted("z")
	assert.Equal(t, "z:1:1: bad\nz:2:1: bad\na:9:1: bad", sorted.Error())
}

func TestWholeNumbersMayBeWrittenAsFloats(t *testing.T) {
	assert.Equal(t, int32(20), decodeInto(t, "name: a\ncount: 2e1").Count)
	assert.Equal(t, int32(5), decodeInto(t, "name: a\ncount: 5.0").Count)
}
