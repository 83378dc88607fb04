package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Lookup finds a variable, like os.LookupEnv. One that is set to nothing counts
// as not set.
type Lookup func(name string) (string, bool)

// Sources are where settings come from. The environment wins over the file, and
// both win over the defaults.
type Sources struct {
	Lookup Lookup // none if nil
	File   File   // none if it is zero
}

// File is a YAML file that has been read. Name is what errors call it.
type File struct {
	Name string
	Text []byte
}

// FileVariable names the YAML file that FromEnvironment reads.
const FileVariable = "ELASTI_CONFIG_FILE"

// FromEnvironment gives the process's variables, and the file that
// ELASTI_CONFIG_FILE names if it does. It is all that touches the process.
func FromEnvironment() (Sources, error) {
	from := Sources{Lookup: os.LookupEnv}
	name := from.variable(FileVariable)
	if name == "" {
		return from, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return Sources{}, fmt.Errorf("reading the file that %s names: %w", FileVariable, err)
	}
	from.File = File{Name: name, Text: text}
	return from, nil
}

func (s Sources) variable(name string) string {
	if s.Lookup == nil {
		return ""
	}
	text, _ := s.Lookup(name)
	return text
}

// maxFileBytes bounds the file; every setting at its longest fits many times.
const maxFileBytes = 1 << 20

// entry is a scalar of the file.
type entry struct {
	text         string
	line, column int
}

// read gives the file's scalars by their key. What does not belong there is a
// problem; whether a text is of its field's kind is not looked at.
func (f File) read(fields []field) (map[string]entry, Problems) {
	r := reader{file: f, entries: map[string]entry{}, fields: map[string]field{}, sections: map[string][]string{}}
	for _, field := range fields {
		r.fields[field.key] = field
		section, name, nested := strings.Cut(field.key, ".")
		if !nested {
			section, name = "", section
		} else if _, seen := r.sections[section]; !seen {
			r.sections[""] = append(r.sections[""], section)
		}
		r.sections[section] = append(r.sections[section], name)
	}
	if len(f.Text) > maxFileBytes {
		r.wrong(1, 1, "", fmt.Sprintf("%d bytes", len(f.Text)), fmt.Sprintf("at most %d", maxFileBytes))
		return nil, r.problems
	}
	decoder := yaml.NewDecoder(bytes.NewReader(f.Text))
	var document, second yaml.Node
	switch err := next(decoder, &document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		r.syntax(err)
		return nil, r.problems
	}
	if root := document.Content[0]; !isNull(root) {
		r.section(root, "")
	}
	switch err := next(decoder, &second); {
	case err == nil:
		r.wrong(second.Line, second.Column, "", "a second document", "one")
	case !errors.Is(err, io.EOF):
		r.syntax(err)
	}
	return r.entries, r.problems
}

// next reads a document. The YAML library reports some malformed input by
// panicking.
func next(decoder *yaml.Decoder, document *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("malformed input")
		}
	}()
	return decoder.Decode(document)
}

type reader struct {
	file     File
	fields   map[string]field
	sections map[string][]string // a section's keys; "" is the top
	entries  map[string]entry
	problems Problems
}

// at puts a problem at a place in the file.
func (f File) at(line, column int, p *Problem) *Problem {
	p.At = fmt.Sprintf("%s:%d:%d", f.Name, line, column)
	return p
}

func (r *reader) wrong(line, column int, key, found, expected string) {
	p := &Problem{Variable: r.fields[key].variable, Key: key, Found: found, Expected: expected}
	r.problems = append(r.problems, r.file.at(line, column, p))
}

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	// countsFromZero are the errors of the YAML library's parser; the lines of its
	// scanner count from 1.
	countsFromZero = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)`)
)

// syntax reports what the YAML library says, with the line it gives if any. The
// name of an unknown anchor is left out: a secret may begin with a *.
func (r *reader) syntax(err error) {
	line, text := 1, err.Error()
	if parts := yamlLine.FindStringSubmatch(text); parts != nil {
		if n, err := strconv.Atoi(parts[1]); err == nil {
			line = n
		}
		text = parts[2]
		if countsFromZero.MatchString(text) {
			line++
		}
		line = max(1, min(line, 1+bytes.Count(bytes.TrimRight(r.file.Text, "\n"), []byte("\n"))))
	}
	if strings.HasPrefix(text, "unknown anchor") {
		text = "an alias without an anchor"
	}
	r.wrong(line, 1, "", "broken syntax ("+text+")", "valid YAML")
}

func (r *reader) section(n *yaml.Node, name string) {
	if n.Kind != yaml.MappingNode {
		r.wrong(n.Line, n.Column, name, described(n), "a mapping with "+strings.Join(r.sections[name], ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		full := key.Value
		if name != "" {
			full = name + "." + key.Value
		}
		_, leaf := r.fields[full]
		_, nested := r.sections[full]
		switch {
		case key.Kind != yaml.ScalarNode || strings.Contains(key.Value, ".") || key.Value == "" || !leaf && !nested:
			r.wrong(key.Line, key.Column, strings.Trim(quoted(full), `"`), "an unknown key", "one of "+strings.Join(r.sections[name], ", "))
		case seen[full]:
			r.wrong(key.Line, key.Column, full, "the key a second time", "it once")
		case nested:
			r.section(value, full)
		default:
			r.scalar(value, r.fields[full])
		}
		seen[full] = true
	}
}

// scalar takes a value over if its YAML type fits: text everywhere, a plain
// whole number where numbers and seconds go.
func (r *reader) scalar(n *yaml.Node, f field) {
	number := n.Tag == "!!int" && f.kind.tag == n.Tag && plainInteger.MatchString(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && !number || n.Value == "" {
		r.wrong(n.Line, n.Column, f.key, described(n), f.kind.expect)
		return
	}
	r.entries[f.key] = entry{text: n.Value, line: n.Line, column: n.Column}
}

// plainInteger leaves out 0x10, 1_000 and 010, which is 8 to YAML 1.1.
var plainInteger = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// described names a YAML value's type, not its text, which may be a secret.
func described(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case isNull(n) || n.Value == "":
		return "nothing"
	case n.Tag == "!!str":
		return "text"
	case slices.Contains([]string{"!!int", "!!float", "!!bool", "!!timestamp"}, n.Tag):
		return "a value of type " + strings.TrimPrefix(n.Tag, "!!") + " (text needs quotes)"
	}
	return "a value of another type" // a tag of its own may be a secret that begins with !
}
