package strict

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Locate finds the node that a path below n names, such as
// "spec.metrics[0].resource.name" or "metadata.annotations[example.com/x]".
// Where the path leads to nothing, it is a stand-in with the full path and the
// position of the nearest node above.
func (n *Node) Locate(path string) *Node {
	steps, err := splitPath(path)
	if err != nil {
		return &Node{Position: n.Position, parent: n, name: "." + path}
	}
	at := n
	for _, s := range steps {
		at = at.child(s)
	}
	return at
}

func (n *Node) child(s pathStep) *Node {
	if n.Kind == List && s.isIndex && s.index < len(n.Items) {
		return n.Items[s.index]
	}
	if next := n.Get(s.key); next != nil {
		return next
	}
	if s.isIndex {
		return &Node{Position: n.Position, parent: n, name: index(s.index)}
	}
	return n.missing(s.key)
}

type pathStep struct {
	key     string // also of an index, its digits
	index   int
	isIndex bool
}

var errPath = errors.New("expected a path such as traffic[0].rps")

// splitPath takes a.b[0]["c.d"][e/f] apart.
func splitPath(path string) ([]pathStep, error) {
	var steps []pathStep
	rest := path
	for rest != "" {
		if rest[0] == '[' {
			s, after, err := bracket(rest)
			if err != nil {
				return nil, err
			}
			steps, rest = append(steps, s), after
			continue
		}
		if len(steps) > 0 {
			if rest[0] != '.' {
				return nil, errPath
			}
			rest = rest[1:]
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil, errPath
		}
		steps, rest = append(steps, pathStep{key: rest[:end]}), rest[end:]
	}
	return steps, nil
}

func bracket(rest string) (s pathStep, after string, err error) {
	if strings.HasPrefix(rest, `["`) {
		quoted, err := strconv.QuotedPrefix(rest[1:])
		if err != nil || !strings.HasPrefix(rest[1+len(quoted):], "]") {
			return s, "", errPath
		}
		key, err := strconv.Unquote(quoted)
		return pathStep{key: key}, rest[len(quoted)+2:], err
	}
	end := strings.IndexByte(rest, ']')
	if end < 2 {
		return s, "", errPath
	}
	key := rest[1:end]
	i, err := strconv.Atoi(key)
	return pathStep{key: key, index: i, isIndex: err == nil && i >= 0}, rest[end+1:], nil
}

// Set overrides one value of the tree: "workload.perPod.concurrency=16". The
// value is read as YAML; mappings on the way are made as needed, items of lists
// must exist. Positions of the new value say file (such as --set), line, and
// the column within the assignment.
func (n *Node) Set(assignment, file string, line int) Problems {
	at := Position{File: file, Line: line, Column: 1}
	path, text, ok := strings.Cut(assignment, "=")
	steps, err := splitPath(path)
	if !ok || err != nil || len(steps) == 0 {
		return Problems{{Position: at, Text: fmt.Sprintf("found %s, expected path=value, such as traffic[0].rps=120", Shown(assignment))}}
	}
	value, problems := parseValue(text, Position{File: file, Line: line, Column: len(path) + 2})
	if len(problems) > 0 {
		return problems
	}
	target := n
	for _, s := range steps[:len(steps)-1] {
		if target, problems = target.enter(s, at); len(problems) > 0 {
			return problems
		}
	}
	return target.assign(steps[len(steps)-1], value, at)
}

func parseValue(text string, at Position) (*Node, Problems) {
	b := builder{file: at.File}
	doc := yaml.Node{}
	if err := next(yaml.NewDecoder(strings.NewReader(text)), &doc); err != nil || len(text) > MaxBytes {
		return nil, Problems{{Position: at, Text: fmt.Sprintf("found %s, expected a YAML value", Shown(text))}}
	}
	value := b.node(&doc, nil, "", 0)
	value.move(at)
	for i := range b.problems {
		b.problems[i].Position = at
	}
	return value, b.problems
}

// move shifts a value that was parsed alone to where it stands in its line.
func (n *Node) move(at Position) {
	n.Position = Position{File: at.File, Line: at.Line, Column: at.Column + n.Column - 1}
	for _, item := range n.Items {
		item.move(at)
	}
	for i := range n.Fields {
		n.Fields[i].At = Position{File: at.File, Line: at.Line, Column: at.Column + n.Fields[i].At.Column - 1}
		n.Fields[i].Value.move(at)
	}
}

// enter steps into a child, which is made when a mapping does not have it.
func (n *Node) enter(s pathStep, at Position) (*Node, Problems) {
	if problem := n.refuse(s, at); problem != nil {
		return nil, problem
	}
	if n.Kind == Map && n.Get(s.key) == nil {
		child := &Node{Position: at, Kind: Map, parent: n, name: step(s.key)}
		n.Fields = append(n.Fields, Field{Key: s.key, At: at, Value: child})
		return child, nil
	}
	return n.child(s), nil
}

func (n *Node) assign(s pathStep, value *Node, at Position) Problems {
	if problem := n.refuse(s, at); problem != nil {
		return problem
	}
	value.parent = n
	if n.Kind == List {
		value.name = index(s.index)
		n.Items[s.index] = value
		return nil
	}
	value.name = step(s.key)
	i := slices.IndexFunc(n.Fields, func(f Field) bool { return f.Key == s.key })
	if i < 0 {
		n.Fields = append(n.Fields, Field{})
		i = len(n.Fields) - 1
	}
	n.Fields[i] = Field{Key: s.key, At: at, Value: value}
	return nil
}

// refuse says why a step cannot be taken from n.
func (n *Node) refuse(s pathStep, at Position) Problems {
	text := ""
	switch {
	case n.Kind == Map:
		return nil
	case n.Kind != List:
		text = fmt.Sprintf("found %s, expected a mapping to set %s in", n.Found(), Shown(s.key))
	case !s.isIndex:
		text = fmt.Sprintf("found the key %s for a list, expected an index such as [0]", Shown(s.key))
	case s.index >= len(n.Items):
		text = fmt.Sprintf("found index %d, expected less than %d", s.index, len(n.Items))
	default:
		return nil
	}
	return Problems{{Position: at, Path: n.Path(), Text: text}}
}
