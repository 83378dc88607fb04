package strict

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Kind is the shape of a Node.
type Kind uint8

// The kinds. Numbers keep their text until somebody knows what they are for.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

// Node is one value of a file and where it stands. Aliases and merge keys are
// expanded: a tree has no cycles and no shared parts, except that a merged
// tree (Merge) refers to the trees it was merged from.
type Node struct {
	Position
	Kind   Kind
	Text   string  // of a scalar
	Items  []*Node // of a List
	Fields []Field // of a Map, in file order

	parent *Node
	name   string // step from the parent: ".key" or "[index]"
}

// Field is one entry of a Map.
type Field struct {
	Key   string
	At    Position // of the key
	Value *Node
}

// Get is the value of a key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Fields {
		if n.Fields[i].Key == key {
			return n.Fields[i].Value
		}
	}
	return nil
}

// Keys are the keys of a Map in file order; a nil Node has none.
func (n *Node) Keys() []string {
	if n == nil {
		return nil
	}
	keys := make([]string, len(n.Fields))
	for i, field := range n.Fields {
		keys[i] = field.Key
	}
	return keys
}

// Path is how to get to the node from the root of its file: traffic[0].rps.
// The root has the empty path.
func (n *Node) Path() string {
	if n.parent == nil {
		return strings.TrimPrefix(n.name, ".")
	}
	if above := n.parent.Path(); above != "" {
		return above + n.name
	}
	return strings.TrimPrefix(n.name, ".")
}

// missing stands for a key that is not there, at the place where it is missed.
func (n *Node) missing(key string) *Node {
	return &Node{Position: n.Position, parent: n, name: step(key)}
}

// keyNode stands for the key of a field, as opposed to its value. In a merged
// mapping the key can come from another tree than the mapping.
func (n *Node) keyNode(f Field) *Node {
	if f.Value != nil {
		return &Node{Position: f.At, parent: f.Value.parent, name: f.Value.name}
	}
	return &Node{Position: f.At, parent: n, name: step(f.Key)}
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_/-]+$`)

// step is a key as a piece of a path; keys with dots and the like are quoted.
func step(key string) string {
	const most = 64 // a key can be as long as the file
	if len(key) > most {
		key = strings.ToValidUTF8(key[:most], "") + "..."
	}
	if plainKey.MatchString(key) {
		return "." + key
	}
	return "[" + strconv.Quote(key) + "]"
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// Found says in words what the node is.
func (n *Node) Found() string {
	switch n.Kind {
	case Null:
		return "nothing"
	case Map:
		return "a mapping"
	case List:
		return "a list"
	}
	return Shown(n.Text)
}

// Shown is a text for a message: cut off when long, quoted when it could be
// misread.
func Shown(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	odd := strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == '"' })
	if text == "" || odd || strings.TrimSpace(text) != text {
		return strconv.Quote(text)
	}
	return text
}

// Value is the node as encoding/json would have it: nil, bool, int64, uint64,
// float64, string, []any and map[string]any. Numbers beyond 64 bits become
// floats; NaN and infinity are errors.
func (n *Node) Value() (any, error) {
	switch n.Kind {
	case Null:
		return nil, nil
	case Bool:
		return strings.EqualFold(n.Text, "true"), nil
	case Int, Float:
		return n.number()
	case String:
		return n.Text, nil
	case List:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			value, err := item.Value()
			if err != nil {
				return nil, err
			}
			items[i] = value
		}
		return items, nil
	}
	fields := make(map[string]any, len(n.Fields))
	for _, field := range n.Fields {
		value, err := field.Value.Value()
		if err != nil {
			return nil, err
		}
		fields[field.Key] = value
	}
	return fields, nil
}

func (n *Node) number() (any, error) {
	text := strings.ReplaceAll(n.Text, "_", "")
	if i, err := strconv.ParseInt(text, 0, 64); err == nil && n.Kind == Int {
		return i, nil
	}
	if u, err := strconv.ParseUint(text, 0, 64); err == nil && n.Kind == Int {
		return u, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fmt.Errorf("found %s, expected a finite number", n.Found())
	}
	return f, nil
}
