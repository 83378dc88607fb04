package logger

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
)

type otlpAttribute struct {
	Key   string    `json:"key"`
	Value otlpValue `json:"value"`
}

// otlpValue is an AnyValue: an object whose one key says the type. Numbers of 64
// bits are texts, as everywhere in protobuf's JSON.
type otlpValue map[string]any

type (
	otlpArray struct {
		Values []otlpValue `json:"values"`
	}
	otlpMap struct {
		Values []otlpAttribute `json:"values"`
	}
)

func otlpString(text string) otlpValue { return otlpValue{"stringValue": text} }

func otlpInt(n int64) otlpValue { return otlpValue{"intValue": strconv.FormatInt(n, 10)} }

// otlpDouble writes what JSON has no number for as protobuf does.
func otlpDouble(x float64) otlpValue {
	switch {
	case math.IsNaN(x):
		return otlpValue{"doubleValue": "NaN"}
	case math.IsInf(x, 1):
		return otlpValue{"doubleValue": "Infinity"}
	case math.IsInf(x, -1):
		return otlpValue{"doubleValue": "-Infinity"}
	}
	return otlpValue{"doubleValue": x}
}

// otlpAttributes leaves out what slog leaves out: empty attributes and groups.
// Keys must be unique there, so that the last of a name holds.
func otlpAttributes(attrs []slog.Attr) []otlpAttribute {
	var list []otlpAttribute
	add := func(a otlpAttribute) {
		if i := slices.IndexFunc(list, func(b otlpAttribute) bool { return a.Key == b.Key }); i >= 0 {
			list[i] = a
			return
		}
		list = append(list, a)
	}
	for _, a := range attrs {
		a.Value = a.Value.Resolve()
		if a.Equal(slog.Attr{}) {
			continue
		}
		if a.Value.Kind() != slog.KindGroup {
			add(otlpAttribute{a.Key, otlpOf(a.Value)})
			continue
		}
		members := otlpAttributes(a.Value.Group())
		switch {
		case a.Key == "":
			for _, member := range members {
				add(member)
			}
		case len(members) > 0:
			add(otlpAttribute{a.Key, otlpValue{"kvlistValue": otlpMap{members}}})
		}
	}
	return list
}

// otlpOf converts a value that is no group. Instants (since 1970) and durations
// are nanoseconds, as slog.JSONHandler has durations.
func otlpOf(v slog.Value) otlpValue {
	switch v.Kind() {
	case slog.KindInt64:
		return otlpInt(v.Int64())
	case slog.KindUint64:
		if n := v.Uint64(); n <= math.MaxInt64 {
			return otlpInt(int64(n))
		}
	case slog.KindFloat64:
		return otlpDouble(v.Float64())
	case slog.KindBool:
		return otlpValue{"boolValue": v.Bool()}
	case slog.KindDuration:
		return otlpInt(v.Duration().Nanoseconds())
	case slog.KindTime:
		return otlpInt(v.Time().UnixNano())
	case slog.KindAny:
		return otlpAny(v.Any())
	}
	return otlpString(v.String())
}

// otlpAny converts a value that slog does not know: errors and what marshals to
// text as text, bytes as bytes, and anything else as its JSON.
func otlpAny(value any) otlpValue {
	switch v := value.(type) {
	case nil:
		return otlpValue{}
	case []byte:
		return otlpValue{"bytesValue": base64.StdEncoding.EncodeToString(v)}
	case error, encoding.TextMarshaler:
		return otlpString(textOf(v))
	}
	var decoded any
	text, err := marshal(value)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		err = decoder.Decode(&decoded)
	}
	if err != nil {
		return otlpString(textOf(value))
	}
	return otlpJSON(decoded)
}

// marshal does not let a value's own methods panic.
func marshal(value any) (text []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return json.Marshal(value)
}

func otlpJSON(value any) otlpValue {
	switch v := value.(type) {
	case string:
		return otlpString(v)
	case bool:
		return otlpValue{"boolValue": v}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return otlpInt(n)
		}
		x, _ := v.Float64() // what does not fit is infinite
		return otlpDouble(x)
	case []any:
		list := otlpArray{Values: make([]otlpValue, 0, len(v))}
		for _, member := range v {
			list.Values = append(list.Values, otlpJSON(member))
		}
		return otlpValue{"arrayValue": list}
	case map[string]any:
		members := otlpMap{Values: make([]otlpAttribute, 0, len(v))}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			members.Values = append(members.Values, otlpAttribute{key, otlpJSON(v[key])})
		}
		return otlpValue{"kvlistValue": members}
	}
	return otlpValue{} // null
}
