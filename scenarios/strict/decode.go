package strict

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"

	"github.com/scalelab/scalelab/messages"
)

// Scalar describes the text of a type that unmarshals itself.
type Scalar struct {
	Expect string         // what it is, in words: a quantity such as 500m
	Accept *regexp.Regexp // texts that are handed to the type; nil: all
	// Schema is the JSON Schema of the short form.
	Schema map[string]any
}

// Options says how to decode.
type Options struct {
	Style   Style
	Scalars map[reflect.Type]Scalar
}

// Decode fills into, a pointer, from a node. Keys that are absent leave what
// into holds, so that defaults go in beforehand. Everything that does not fit
// is reported; nothing is ignored.
func Decode(n *Node, into any, options Options) Problems {
	d := &decoder{Style: options.Style, scalars: options.Scalars}
	d.value(n, reflect.ValueOf(into).Elem(), fieldInfo{}, false)
	return d.problems
}

type decoder struct {
	Style
	scalars  map[reflect.Type]Scalar
	problems Problems
}

// wrong reports a node that is not of the type.
func (d *decoder) wrong(n *Node, t reflect.Type) {
	d.problems.Addf(n, "found %s, expected %s", n.Found(), d.expectation(t))
}

// value decodes n into v. fresh says that v holds no defaults.
func (d *decoder) value(n *Node, v reflect.Value, f fieldInfo, fresh bool) {
	t := v.Type()
	switch {
	case n.Kind == Null && d.Style == JSON:
		v.SetZero()
	case t.Kind() == reflect.Pointer:
		target := reflect.New(t.Elem())
		d.value(n, target.Elem(), f, true)
		v.Set(target)
	case reflect.PointerTo(t).Implements(decodedType):
		v.Addr().Interface().(Decoded).DecodeNode(n, &d.problems)
	case n.Kind == Null:
		d.wrong(n, t)
	case t == durationType && d.Style == YAML:
		d.duration(n, v)
	case t == timeType && d.Style == YAML:
		d.instant(n, v)
	case d.Style == JSON && reflect.PointerTo(t).Implements(unmarshalerType):
		d.jsonValue(n, v)
	case d.Style == YAML && hasText(t):
		d.text(n, v)
	default:
		d.kind(n, v, f, fresh)
	}
}

// kind decodes what is made of plain Go kinds.
func (d *decoder) kind(n *Node, v reflect.Value, f fieldInfo, fresh bool) {
	switch v.Kind() {
	case reflect.Struct:
		d.fields(n, v, fresh)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Slice:
		if v.Type().Implements(orderedType) {
			d.ordered(n, v)
			return
		}
		d.list(n, v, f)
	default:
		d.scalar(n, v, f)
	}
}

func (d *decoder) fields(n *Node, v reflect.Value, fresh bool) {
	if n.Kind != Map {
		d.wrong(n, v.Type())
		return
	}
	known := structFields(v.Type(), d.Style)
	byName := make(map[string]fieldInfo, len(known))
	names := make([]string, len(known))
	for i, f := range known {
		byName[f.name], names[i] = f, f.name
	}
	given := make(map[string]bool, len(n.Fields))
	for _, field := range n.Fields {
		given[field.Key] = true
		f, ok := byName[field.Key]
		if !ok {
			d.problems.Addf(n.keyNode(field), "found an unknown key, expected %s%s", oneOf(names), DidYouMean(field.Key, names))
			continue
		}
		d.value(field.Value, v.FieldByIndex(f.index), f, fresh)
	}
	for _, f := range known {
		if f.isRequired(fresh) && !given[f.name] {
			d.problems.Addf(n.missing(f.name), "found nothing, expected %s", d.fieldExpectation(f))
		}
	}
}

func (d *decoder) fieldExpectation(f fieldInfo) string {
	if f.enum != nil {
		return oneOf(f.enum)
	}
	return d.expectation(f.typ)
}

// mapping adds to a map; keys that it already has are replaced.
func (d *decoder) mapping(n *Node, v reflect.Value) {
	if n.Kind != Map {
		d.wrong(n, v.Type())
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, field := range n.Fields {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(field.Value, value, fieldInfo{}, true)
		v.SetMapIndex(reflect.ValueOf(field.Key).Convert(v.Type().Key()), value)
	}
}

func (d *decoder) ordered(n *Node, v reflect.Value) {
	if n.Kind != Map {
		d.wrong(n, v.Type())
		return
	}
	v.SetZero()
	for _, field := range n.Fields {
		entry := reflect.New(v.Type().Elem()).Elem()
		entry.Field(0).SetString(field.Key)
		d.value(field.Value, entry.Field(1), fieldInfo{}, true)
		v.Set(reflect.Append(v, entry))
	}
}

func (d *decoder) list(n *Node, v reflect.Value, f fieldInfo) {
	if v.Type().Elem().Kind() == reflect.Uint8 && d.Style == JSON {
		d.jsonValue(n, v) // bytes are base64 text
		return
	}
	if n.Kind != List {
		d.wrong(n, v.Type())
		return
	}
	items := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	for i, item := range n.Items {
		d.value(item, items.Index(i), fieldInfo{enum: f.enum, min: f.min, max: f.max, pattern: f.pattern}, true)
	}
	v.Set(items)
}

// text hands a scalar to a type that has a short form; a mapping is walked.
func (d *decoder) text(n *Node, v reflect.Value) {
	t := v.Type()
	if n.Kind == Map && t.Kind() == reflect.Struct {
		v.SetZero() // the parts of such a type belong together
		d.fields(n, v, true)
		return
	}
	special, known := d.scalars[t]
	if n.Kind != String || known && special.Accept != nil && !special.Accept.MatchString(n.Text) {
		d.wrong(n, t)
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Text)); err != nil {
		d.problems.Addf(n, "%s", reason(err))
	}
}

// reason is an error without the field that it names: the path says it already.
func reason(err error) string {
	var invalid *messages.Invalid
	if errors.As(err, &invalid) {
		return invalid.Problem
	}
	return err.Error()
}

// jsonValue hands a value to a type that unmarshals JSON.
func (d *decoder) jsonValue(n *Node, v reflect.Value) {
	special, known := d.scalars[v.Type()]
	if known && (n.Kind == Map || n.Kind == List || special.Accept != nil && !special.Accept.MatchString(n.Text)) {
		d.wrong(n, v.Type())
		return
	}
	value, err := n.Value()
	if err != nil {
		d.problems.Addf(n, "%s", err)
		return
	}
	raw, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(raw, v.Addr().Interface())
	}
	switch {
	case err != nil && known:
		d.wrong(n, v.Type())
	case err != nil:
		d.problems.Addf(n, "found %s, expected a %s: %s", n.Found(), v.Type().Name(), err)
	}
}
