package strict

import (
	"encoding"
	"encoding/json"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Decoded is a type that reads its own part of a file. Problems go to report.
type Decoded interface {
	DecodeNode(n *Node, report *Problems)
}

// Ordered is a mapping whose keys keep the order of the file.
type Ordered[T any] []Named[T]

// Named is one entry of an Ordered mapping.
type Named[T any] struct {
	Name  string
	Value T
}

// Get finds an entry by name.
func (o Ordered[T]) Get(name string) (T, bool) {
	for _, entry := range o {
		if entry.Name == name {
			return entry.Value, true
		}
	}
	var none T
	return none, false
}

func (Ordered[T]) ordered() {}

type orderedMap interface{ ordered() }

// Style is which struct tags describe a type.
type Style uint8

const (
	// YAML is the style of scenarios: `yaml`, `enum`, `min`, `max`, `pattern`,
	// `required` and `doc` tags. A field without omitempty must be given in
	// values that have no defaults: behind pointers, in lists and in mappings.
	YAML Style = iota
	// JSON is the style of Kubernetes manifests: `json` tags, every field
	// optional, null the same as absent.
	JSON
)

// The bounds of numbers: beyond them a number is a slip of the keyboard.
const (
	MaxNumber   = 1e15
	MaxDuration = 87_600 * time.Hour // ten years
)

// DurationPattern is how durations are written.
const DurationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`

var (
	durationText = regexp.MustCompile(DurationPattern)

	durationType    = reflect.TypeFor[time.Duration]()
	timeType        = reflect.TypeFor[time.Time]()
	decodedType     = reflect.TypeFor[Decoded]()
	orderedType     = reflect.TypeFor[orderedMap]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// fieldInfo is what the tags of a struct field say.
type fieldInfo struct {
	name     string
	index    []int
	typ      reflect.Type
	optional bool // omitempty
	required bool // even where there are defaults
	enum     []string
	min, max *float64
	pattern  *regexp.Regexp
	doc      string
}

func (f fieldInfo) isRequired(fresh bool) bool { return f.required || fresh && !f.optional }

// structFields lists the fields of a struct type in order, embedded ones inlined.
func structFields(t reflect.Type, style Style) []fieldInfo {
	tag := "yaml"
	if style == JSON {
		tag = "json"
	}
	var fields []fieldInfo
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get(tag), ",")
		if f.Anonymous && name == "" {
			for _, inner := range structFields(f.Type, style) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
			continue
		}
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		fields = append(fields, fieldInfo{
			name: name, index: []int{i}, typ: f.Type,
			optional: style == JSON || strings.Contains(options, "omitempty"),
			required: f.Tag.Get("required") == "true",
			enum:     enumOf(f.Tag),
			min:      bound(f.Tag.Get("min")), max: bound(f.Tag.Get("max")),
			pattern: patternOf(f.Tag),
			doc:     f.Tag.Get("doc"),
		})
	}
	return fields
}

func enumOf(tag reflect.StructTag) []string {
	if list := tag.Get("enum"); list != "" {
		return strings.Split(list, "|")
	}
	return nil
}

func patternOf(tag reflect.StructTag) *regexp.Regexp {
	if text := tag.Get("pattern"); text != "" {
		return regexp.MustCompile(text)
	}
	return nil
}

// bound reads a min or max tag; tags are constants of the program, and a bad
// one is a bug that the first test meets.
func bound(text string) *float64 {
	if text == "" {
		return nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("strict: bad bound " + text + " in a struct tag")
	}
	return &value
}

// hasText says whether a scalar is a short form of the type.
func hasText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// expectation says in words what a type wants to see.
func (d *decoder) expectation(t reflect.Type) string {
	if special, ok := d.scalars[t]; ok {
		return special.Expect
	}
	switch {
	case t == durationType:
		return "a duration such as 30s"
	case t == timeType:
		return "an instant such as 2026-01-05T00:00:00Z"
	case t.Implements(orderedType):
		return "a mapping"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.expectation(t.Elem())
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	}
	return "a whole number"
}
