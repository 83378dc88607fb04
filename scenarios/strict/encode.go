package strict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Encoded is a type that writes its own part of a file, as plain values of
// encoding/json.
type Encoded interface {
	EncodeValue() any
}

var (
	encodedType    = reflect.TypeFor[Encoded]()
	jsonNumberType = reflect.TypeFor[json.Number]()
)

// Encode writes a value as YAML that Decode reads back: struct fields in order,
// keys of maps sorted, small mappings in one line.
func Encode(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(encode(reflect.ValueOf(value))); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return out.Bytes(), nil
}

func encode(v reflect.Value) *yaml.Node {
	t := v.Type()
	switch {
	case t.Implements(encodedType):
		return encode(reflect.ValueOf(&[]any{v.Interface().(Encoded).EncodeValue()}[0]).Elem())
	case t == durationType:
		return plain("!!str", FormatDuration(time.Duration(v.Int())))
	case t == timeType:
		return plain("!!timestamp", v.Interface().(time.Time).Format(time.RFC3339Nano))
	case t.Implements(orderedType):
		return encodeOrdered(v)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return plain("!!null", "null")
		}
		return encode(v.Elem())
	case reflect.Struct:
		return encodeStruct(v)
	case reflect.Map:
		return encodeMap(v)
	case reflect.Slice:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			list.Content = append(list.Content, encode(v.Index(i)))
		}
		return compact(list)
	case reflect.Float32, reflect.Float64:
		return plain("", strconv.FormatFloat(v.Float(), 'g', -1, 64))
	case reflect.String:
		if t == jsonNumberType {
			return plain("", v.String())
		}
		return quoted(v.String())
	}
	return plain("", fmt.Sprint(v.Interface()))
}

// quoted is a string, in quotes where it would be read as something else. The
// library's block style loses line breaks at the start of a text.
func quoted(text string) *yaml.Node {
	var node yaml.Node
	node.SetString(text)
	if strings.ContainsFunc(text, unicode.IsControl) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return &node
}

// plain is a scalar as it is. Without a tag it is what it looks like: 80 is
// both a float and an int.
func plain(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}

func encodeStruct(v reflect.Value) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range structFields(v.Type(), YAML) {
		value := v.FieldByIndex(f.index)
		if f.optional && value.IsZero() {
			continue
		}
		add(node, f.name, encode(value))
	}
	return compact(node)
}

func encodeMap(v reflect.Value) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) })
	for _, key := range keys {
		add(node, key.String(), encode(v.MapIndex(key)))
	}
	return compact(node)
}

func encodeOrdered(v reflect.Value) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for i := range v.Len() {
		add(node, v.Index(i).Field(0).String(), encode(v.Index(i).Field(1)))
	}
	return node
}

func add(node *yaml.Node, key string, value *yaml.Node) {
	node.Content = append(node.Content, quoted(key), value)
}

// compact writes a short collection of scalars in one line.
func compact(node *yaml.Node) *yaml.Node {
	const most = 90
	length := 0
	for _, part := range node.Content {
		if part.Kind != yaml.ScalarNode || part.Style != 0 {
			return node
		}
		length += len(part.Value) + 2
	}
	if length <= most {
		node.Style = yaml.FlowStyle
	}
	return node
}
