package api

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// encode is the body of a success.
func encode(value parser.Value, warnings, infos []string) []byte {
	var b bytes.Buffer
	b.WriteString(`{"status":"success","data":{"resultType":`)
	text(&b, string(value.Type()))
	b.WriteString(`,"result":`)
	switch v := value.(type) {
	case promql.Vector:
		list(&b, len(v), func(i int) {
			b.WriteString(`{"metric":`)
			metric(&b, v[i].Metric)
			b.WriteString(`,"value":`)
			pair(&b, v[i].T, v[i].F)
			b.WriteByte('}')
		})
	case promql.Matrix:
		list(&b, len(v), func(i int) {
			b.WriteString(`{"metric":`)
			metric(&b, v[i].Metric)
			b.WriteString(`,"values":`)
			list(&b, len(v[i].Floats), func(j int) { pair(&b, v[i].Floats[j].T, v[i].Floats[j].F) })
			b.WriteByte('}')
		})
	default: // a scalar or a string writes itself
		plain(&b, v)
	}
	b.WriteByte('}')
	notes(&b, "warnings", warnings)
	notes(&b, "infos", infos)
	b.WriteByte('}')
	return b.Bytes()
}

// encode is the body of a failure.
func (f *failure) encode() []byte {
	var b bytes.Buffer
	b.WriteString(`{"status":"error","errorType":`)
	text(&b, f.kind)
	b.WriteString(`,"error":`)
	text(&b, f.text)
	b.WriteByte('}')
	return b.Bytes()
}

func notes(b *bytes.Buffer, name string, texts []string) {
	if len(texts) > 0 {
		b.WriteString(`,"` + name + `":`)
		list(b, len(texts), func(i int) { text(b, texts[i]) })
	}
}

func list(b *bytes.Buffer, n int, element func(i int)) {
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		element(i)
	}
	b.WriteByte(']')
}

func metric(b *bytes.Buffer, set labels.Labels) {
	b.WriteByte('{')
	first := true
	set.Range(func(l labels.Label) {
		if !first {
			b.WriteByte(',')
		}
		first = false
		text(b, l.Name)
		b.WriteByte(':')
		text(b, l.Value)
	})
	b.WriteByte('}')
}

func text(b *bytes.Buffer, s string) { plain(b, s) }

// plain writes JSON without Go's escapes for HTML.
func plain(b *bytes.Buffer, value any) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("api: a result cannot be written: " + err.Error())
	}
	b.Truncate(b.Len() - 1) // the encoder ends lines
}

// pair is an instant in seconds, with three digits of a fraction or none, and a value
// in quotes.
func pair(b *bytes.Buffer, millis int64, value float64) {
	b.WriteByte('[')
	if millis < 0 {
		b.WriteByte('-')
		millis = -millis
	}
	b.WriteString(strconv.FormatInt(millis/1000, 10))
	if fraction := millis % 1000; fraction != 0 {
		b.WriteString("." + strconv.FormatInt(1000+fraction, 10)[1:])
	}
	format := byte('f')
	if abs := math.Abs(value); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b.WriteString(`,"`)
	b.Write(strconv.AppendFloat(b.AvailableBuffer(), value, format, -1, 64))
	b.WriteString(`"]`)
}
