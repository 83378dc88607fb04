package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/scalelab/scalelab/sim"
)

// writeJSON writes v indented by two, with a newline at the end.
func writeJSON(w io.Writer, v any) error {
	text, err := encodeJSON(v)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// writeJSONLines writes every result on a line of its own.
func writeJSONLines(w io.Writer, results []*sim.Result) error {
	for _, r := range results {
		text, err := encodeIndented(r, "")
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

func encodeJSON(v any) ([]byte, error) { return encodeIndented(v, "  ") }

func encodeIndented(v any, indent string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", indent)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding the result: %w", err)
	}
	return escapeControls(text.Bytes()), nil
}

// escapeControls writes DEL, the C1 controls, and marks that reorder text, which
// JSON allows and terminals obey, as \uXXXX. They can only stand inside strings.
func escapeControls(text []byte) []byte {
	if !bytes.ContainsFunc(text, isRawControl) {
		return text
	}
	var safe bytes.Buffer
	for _, r := range string(text) {
		if isRawControl(r) {
			fmt.Fprintf(&safe, `\u%04x`, r)
			continue
		}
		safe.WriteRune(r)
	}
	return safe.Bytes()
}

// isRawControl is true for what encoding/json leaves as it is although YAML
// forbids it or a reader would be shown something else than is there.
func isRawControl(r rune) bool {
	return r >= 0x7f && r <= 0x9f || r == 0xfeff || r == 0xfffe || r == 0xffff || unicode.Is(unicode.Bidi_Control, r)
}

// writeYAML writes v with the names and the order of its JSON. JSON is YAML in
// flow style, so it only has to be laid out in blocks.
func writeYAML(w io.Writer, v any) error {
	text, err := encodeJSON(v)
	if err != nil {
		return err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	unfold(&document)
	var blocks bytes.Buffer
	encoder := yaml.NewEncoder(&blocks)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	// What has to be escaped stands between double quotes here, too: it is no bare word.
	_, err = w.Write(escapeControls(blocks.Bytes()))
	return err
}

// unfold gives mappings and lists of mappings block style; lists of numbers
// stay on one line.
func unfold(node *yaml.Node) {
	scalars := len(node.Content) > 0
	for _, child := range node.Content {
		unfold(child)
		scalars = scalars && child.Kind == yaml.ScalarNode
	}
	switch {
	case node.Kind == yaml.ScalarNode && !bareWord(node.Value):
		return // a number, or a string that keeps its quotes
	case node.Kind == yaml.SequenceNode && scalars:
		return
	case node.Kind != yaml.ScalarNode && len(node.Content) == 0:
		return
	}
	node.Style = 0
}

var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)

// bareWord says that every reader of YAML, of version 1.1 too, takes a text
// without quotes for a string; not so yes, n or =.
func bareWord(text string) bool {
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return plainWord.MatchString(text)
}

func writeCSV(w io.Writer, rows [][]string) error {
	writer := csv.NewWriter(w)
	return writer.WriteAll(rows)
}

// exact is a figure in CSV, with all its digits.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// exactOptional is an empty cell when absent.
func exactOptional(v *float64) string {
	if v == nil {
		return ""
	}
	return exact(*v)
}
