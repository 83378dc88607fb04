package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// Results are runs that were written earlier.
type Results struct {
	Runs []*sim.Result
	// Compared: at least one of the documents is a comparison. Baseline is that of
	// the first one.
	Compared bool
	Baseline string
}

// Read reads what Run and Compare wrote as JSON, one document after another, so
// that JSON lines are read as well. Name is what positions call the text. Fields
// that are missing, as in files of an older scalelab, are absent; unknown ones,
// as in those of a newer one, are ignored. Every result that is returned can be
// written in every format.
func Read(name string, text []byte) (*Results, error) {
	d := documents{name: name, text: text}
	var all Results
	for {
		raw, err := d.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := all.add(&d, raw); err != nil {
			return nil, err
		}
	}
	if len(all.Runs) == 0 {
		return nil, fmt.Errorf("%s: found no result, expected %s or %s", name, sim.Schema, bench.OutcomeSchema)
	}
	return &all, nil
}

// IsResult says whether a text is more like something for Read than like a
// scenario: JSON that names a schema.
func IsResult(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	head := text[:min(len(text), 4<<10)]
	return bytes.Contains(head, []byte(`"schema"`)) && !bytes.Contains(head, []byte(`"apiVersion"`))
}

// documents are the JSON values of a text, one after another.
type documents struct {
	name  string
	text  []byte
	at    int // where the document under way begins
	after int // and ends
}

func (d *documents) next() (json.RawMessage, error) {
	rest := d.text[d.after:]
	d.at = len(d.text) - len(bytes.TrimLeft(rest, " \t\r\n"))
	if d.at == len(d.text) {
		return nil, io.EOF
	}
	decoder := json.NewDecoder(bytes.NewReader(d.text[d.at:]))
	var raw json.RawMessage
	if err := decoder.Decode(&raw); err != nil {
		return nil, d.complain(err)
	}
	d.after = d.at + int(decoder.InputOffset())
	return raw, nil
}

// complain gives an error of encoding/json its position in the text.
func (d *documents) complain(err error) error {
	var (
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
	)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return d.errorf(len(d.text), "found the end of the file in the middle of a result, expected the rest of it")
	case errors.As(err, &syntax):
		// The offset is that behind the character at fault.
		return d.errorf(d.at+int(syntax.Offset)-1, "found no JSON: %s", syntax)
	case errors.As(err, &kind):
		field := ""
		if kind.Field != "" {
			field = clean(kind.Field) + ": "
		}
		return d.errorf(d.at+int(kind.Offset)-1, "%sfound %s, expected %s", field, article(clean(kind.Value)), kinds(kind))
	}
	return d.errorf(d.at, "%s", clean(err.Error()))
}

// article puts a or an before the name of a JSON value.
func article(value string) string {
	if strings.HasPrefix(value, "array") || strings.HasPrefix(value, "object") {
		return "an " + value
	}
	return "a " + value
}

// kinds says what a field takes.
func kinds(e *json.UnmarshalTypeError) string {
	kind := strings.TrimLeft(e.Type.String(), "*")
	switch {
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "a whole number of kind " + kind
	case kind == "float64":
		return "a number"
	case strings.HasPrefix(kind, "[]"):
		return "a list"
	case kind == "string", strings.HasSuffix(kind, "Reason"), strings.HasSuffix(kind, "Stage"), strings.HasSuffix(kind, "Mark"):
		return "a string"
	case kind == "bool":
		return "true or false"
	}
	return "an object"
}

// errorf is a problem at an offset of the text.
func (d *documents) errorf(offset int, format string, args ...any) error {
	before := d.text[:max(0, min(offset, len(d.text)))]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1
	return fmt.Errorf("%s:%d:%d: %s", d.name, line, column, fmt.Sprintf(format, args...))
}

// add takes the results of one document.
func (all *Results) add(d *documents, raw json.RawMessage) error {
	var head struct {
		Schema *string `json:"schema"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return d.complain(err)
	}
	if head.Schema == nil {
		return d.errorf(d.at, "found no schema, expected %s or %s", sim.Schema, bench.OutcomeSchema)
	}
	switch *head.Schema {
	case sim.Schema:
		var r sim.Result
		if err := json.Unmarshal(raw, &r); err != nil {
			return d.complain(err)
		}
		return all.take(d, &r)
	case bench.OutcomeSchema:
		return all.compared(d, raw)
	}
	return d.errorf(d.at, "found the schema %.70q, expected %s or %s", *head.Schema, sim.Schema, bench.OutcomeSchema)
}

// compared takes the runs of a comparison. What they say is worked out again.
func (all *Results) compared(d *documents, raw json.RawMessage) error {
	var c struct {
		Results    []*sim.Result `json:"results"`
		Comparison *struct {
			Baseline string `json:"baseline"`
		} `json:"comparison"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return d.complain(err)
	}
	if len(c.Results) == 0 {
		return d.errorf(d.at, "found a comparison without results, expected one or more")
	}
	for i, r := range c.Results {
		if r == nil {
			return d.errorf(d.at, "results[%d]: found null, expected a result", i)
		}
		if r.Schema != sim.Schema {
			return d.errorf(d.at, "results[%d]: found the schema %.70q, expected %s", i, r.Schema, sim.Schema)
		}
		if err := all.take(d, r); err != nil {
			return err
		}
	}
	if !all.Compared && c.Comparison != nil {
		all.Baseline = c.Comparison.Baseline
	}
	all.Compared = true
	return nil
}

func (all *Results) take(d *documents, r *sim.Result) error {
	if problem := implausible(r); problem != "" {
		return d.errorf(d.at, "%s, seed %d: %s", fit(clean(r.Autoscaler), longestName), r.Seed, problem)
	}
	all.Runs = append(all.Runs, r)
	return nil
}
