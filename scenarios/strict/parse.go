package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// Limits on one file.
const (
	MaxBytes = 1 << 20
	MaxNodes = 100_000 // values, after aliases and merge keys are expanded
	MaxDepth = 64      // values inside values
)

// Parse reads a file that has exactly one document. file is the name that
// positions carry. On problems the tree is nil.
func Parse(file string, src []byte) (*Node, Problems) {
	roots, problems := ParseAll(file, src)
	switch {
	case len(problems) > 0:
		return nil, problems
	case len(roots) == 0:
		problems.Addf(start(file), "found an empty file, expected a YAML document")
	case len(roots) > 1:
		problems.Addf(roots[1], "found %d documents, expected one", len(roots))
	default:
		return roots[0], nil
	}
	return nil, problems
}

// ParseAll reads the documents of a file, leaving out empty ones.
func ParseAll(file string, src []byte) ([]*Node, Problems) {
	var problems Problems
	if len(src) > MaxBytes {
		problems.Addf(start(file), "found a file of %d bytes, expected at most %d", len(src), MaxBytes)
		return nil, problems
	}
	b := builder{file: file}
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	var roots []*Node
	for {
		var doc yaml.Node
		err := next(decoder, &doc)
		if errors.Is(err, io.EOF) {
			return roots, b.problems
		}
		if err != nil {
			b.syntax(err)
			return nil, b.problems
		}
		root := b.node(&doc, nil, "", 0)
		if len(b.problems) > 0 {
			return nil, b.problems
		}
		if root.Kind != Null {
			roots = append(roots, root)
		}
	}
}

func start(file string) *Node { return &Node{Position: Position{File: file, Line: 1, Column: 1}} }

// next reads a document. The YAML library reports some malformed input by
// panicking with other values than it recovers from itself.
func next(decoder *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed YAML: %v", r)
		}
	}()
	return decoder.Decode(doc)
}

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	// offByOne are the errors of the YAML library's parser, whose lines count
	// from 0; those of its scanner count from 1.
	offByOne = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)`)
)

type builder struct {
	file     string
	problems Problems
	count    int
	open     []*yaml.Node // anchors being expanded, to notice cycles
	outer    *Node        // the alias in the file itself that is being expanded
	full     bool
}

func (b *builder) syntax(err error) {
	at, text := start(b.file), err.Error()
	if parts := yamlLine.FindStringSubmatch(text); parts != nil {
		if line, err := strconv.Atoi(parts[1]); err == nil && line > 0 {
			at.Line = line
		}
		text = parts[2]
		if parts[1] != "" && offByOne.MatchString(text) {
			at.Line++
		}
	}
	b.problems.Addf(at, "found broken syntax, expected valid YAML: %s", text)
}

// node converts a YAML node; it is never nil, so that callers can go on
// collecting problems.
func (b *builder) node(y *yaml.Node, parent *Node, name string, depth int) *Node {
	n := &Node{Position: b.position(y), parent: parent, name: name}
	b.count++
	switch {
	case b.full:
		return n
	case b.count > MaxNodes:
		b.overflow(n)
		return n
	case depth > MaxDepth:
		b.full = true
		b.problems.Addf(n, "found more than %d levels of nesting, expected fewer", MaxDepth)
		return n
	}
	switch y.Kind {
	case yaml.DocumentNode:
		return b.node(y.Content[0], parent, name, depth)
	case yaml.AliasNode:
		return b.alias(y, n, depth)
	case yaml.SequenceNode:
		n.Kind = List
		for i, item := range y.Content {
			n.Items = append(n.Items, b.node(item, n, index(i), depth+1))
		}
	case yaml.MappingNode:
		n.Kind = Map
		b.fields(y, n, depth)
	case yaml.ScalarNode:
		b.scalar(y, n)
	}
	return n
}

func (b *builder) position(y *yaml.Node) Position {
	return Position{File: b.file, Line: max(y.Line, 1), Column: max(y.Column, 1)}
}

func (b *builder) overflow(n *Node) {
	b.full = true
	if b.outer != nil {
		b.problems.Addf(b.outer, "found aliases that expand to more than %d values, expected fewer", MaxNodes)
		return
	}
	b.problems.Addf(n, "found more than %d values, expected fewer", MaxNodes)
}

func (b *builder) alias(y *yaml.Node, n *Node, depth int) *Node {
	if slices.Contains(b.open, y.Alias) {
		b.problems.Addf(n, "found alias *%s inside its own anchor, expected no cycle", Shown(y.Value))
		return n
	}
	if len(b.open) == 0 {
		b.outer = n
		defer func() { b.outer = nil }()
	}
	b.open = append(b.open, y.Alias)
	defer func() { b.open = b.open[:len(b.open)-1] }()
	return b.node(y.Alias, n.parent, n.name, depth)
}

func (b *builder) scalar(y *yaml.Node, n *Node) {
	n.Text = y.Value
	switch tag := y.ShortTag(); tag {
	case "!!null":
		n.Kind = Null
	case "!!bool":
		n.Kind = Bool
	case "!!int":
		n.Kind = Int
	case "!!float":
		n.Kind = Float
	case "!!str", "!!timestamp", "!!merge":
		n.Kind = String
	default:
		b.problems.Addf(n, "found the tag %s, expected none", Shown(tag))
	}
}

// fields fills a mapping: its own keys first, then those of merge keys that it
// does not have.
func (b *builder) fields(y *yaml.Node, n *Node, depth int) {
	seen := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(y.Content) && !b.full; i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null" {
			b.problems.Addf(&Node{Position: b.position(key), parent: n}, "found a key that is no text, expected a name")
			continue
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		field := Field{Key: key.Value, At: b.position(key)}
		if line, twice := seen[key.Value]; twice {
			b.problems.Addf(n.keyNode(field), "found the key twice, first in line %d, expected it once", line)
			continue
		}
		seen[key.Value] = field.At.Line
		field.Value = b.node(value, n, step(key.Value), depth+1)
		n.Fields = append(n.Fields, field)
	}
	for _, value := range merged {
		b.merge(value, n, seen, depth)
	}
}

// merge adds the keys of what `<<` points to: a mapping or a list of mappings,
// of which earlier ones win.
func (b *builder) merge(y *yaml.Node, n *Node, seen map[string]int, depth int) {
	from := b.node(y, n, `["<<"]`, depth+1)
	sources := []*Node{from}
	if from.Kind == List {
		sources = from.Items
	}
	for _, source := range sources {
		if source.Kind != Map {
			if !b.full {
				b.problems.Addf(source, "found %s, expected a mapping to merge", source.Found())
			}
			continue
		}
		for _, field := range source.Fields {
			if _, own := seen[field.Key]; own {
				continue
			}
			seen[field.Key] = field.At.Line
			field.Value.parent = n
			n.Fields = append(n.Fields, field)
		}
	}
}
