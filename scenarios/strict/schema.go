package strict

import (
	"encoding/json"
	"reflect"
)

// Schemed is a type that describes itself in a JSON Schema, as types that
// decode themselves must.
type Schemed interface {
	JSONSchema() map[string]any
}

// SchemaOptions says what the tags do not.
type SchemaOptions struct {
	Options
	ID, Title string
	// Extra adds to the schema of a type, such as which keys exclude each other.
	Extra map[reflect.Type]map[string]any
}

var schemedType = reflect.TypeFor[Schemed]()

// Schema is the JSON Schema (draft-07) of what Decode accepts for a value that
// is decoded over defaults. It says nothing of limits that only the owners of
// the values know.
func Schema(t reflect.Type, options SchemaOptions) ([]byte, error) {
	s := schemer{options}
	root := s.schema(t, fieldInfo{}, false)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["$id"] = options.ID
	root["title"] = options.Title
	return json.MarshalIndent(root, "", "  ")
}

type schemer struct{ SchemaOptions }

func (s schemer) schema(t reflect.Type, f fieldInfo, fresh bool) map[string]any {
	for t.Kind() == reflect.Pointer {
		t, fresh = t.Elem(), true
	}
	out := s.ofType(t, f, fresh)
	if extra := s.Extra[t]; extra != nil {
		for key, value := range extra {
			out[key] = value
		}
	}
	if short := s.Scalars[t]; short.Schema != nil && t.Kind() == reflect.Struct {
		out = map[string]any{"anyOf": []any{short.Schema, out}}
	}
	if f.doc != "" {
		out["description"] = f.doc
	}
	return out
}

func (s schemer) ofType(t reflect.Type, f fieldInfo, fresh bool) map[string]any {
	switch {
	case t.Implements(schemedType):
		return reflect.Zero(t).Interface().(Schemed).JSONSchema()
	case t == durationType:
		return map[string]any{"type": "string", "pattern": DurationPattern}
	case t == timeType:
		return map[string]any{"type": "string", "pattern": instantPattern}
	case t.Implements(orderedType):
		value, _ := t.Elem().FieldByName("Value")
		return map[string]any{"type": "object", "additionalProperties": s.schema(value.Type, fieldInfo{}, true)}
	}
	switch t.Kind() {
	case reflect.Struct:
		return s.object(t, fresh || hasText(t))
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.schema(t.Elem(), fieldInfo{}, true)}
	case reflect.Slice:
		f.doc = ""
		return map[string]any{"type": "array", "items": s.schema(t.Elem(), f, true)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return text(f)
	case reflect.Float32, reflect.Float64:
		return bounded("number", json.Number(number(-MaxNumber)), json.Number(number(MaxNumber)), f)
	}
	low, high := limits(t)
	return bounded("integer", json.Number(low), json.Number(high), f)
}

const instantPattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`

func (s schemer) object(t reflect.Type, fresh bool) map[string]any {
	properties, required := map[string]any{}, []any{}
	for _, f := range structFields(t, s.Style) {
		properties[f.name] = s.schema(f.typ, f, fresh)
		if f.isRequired(fresh) {
			required = append(required, f.name)
		}
	}
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func text(f fieldInfo) map[string]any {
	out := map[string]any{"type": "string"}
	if f.enum != nil {
		out["enum"] = f.enum
	}
	if f.pattern != nil {
		out["pattern"] = f.pattern.String()
	}
	return out
}

func bounded(kind string, low, high json.Number, f fieldInfo) map[string]any {
	if f.min != nil {
		low = json.Number(number(*f.min))
	}
	if f.max != nil {
		high = json.Number(number(*f.max))
	}
	return map[string]any{"type": kind, "minimum": low, "maximum": high}
}
