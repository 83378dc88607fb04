package strict

// Merge is the JSON merge patch of RFC 7386: mappings are merged key by key,
// null removes a key, and everything else, lists included, is replaced. Neither
// tree is changed, and every part of the result keeps the position and path
// where it was written.
func Merge(base, patch *Node) *Node {
	if patch.Kind != Map {
		return patch
	}
	if base == nil || base.Kind != Map {
		// Nothing to merge with; nulls inside still mean absence.
		base = &Node{Position: patch.Position, Kind: Map, parent: patch.parent, name: patch.name}
	}
	merged := *base
	merged.Fields = nil
	old, changes := base.byKey(), patch.byKey()
	for _, field := range base.Fields {
		change := changes[field.Key]
		switch {
		case change == nil:
			merged.Fields = append(merged.Fields, field)
		case change.Kind != Null:
			field.Value = Merge(field.Value, change)
			merged.Fields = append(merged.Fields, field)
		}
	}
	for _, field := range patch.Fields {
		if old[field.Key] == nil && field.Value.Kind != Null {
			field.Value = Merge(nil, field.Value)
			merged.Fields = append(merged.Fields, field)
		}
	}
	return &merged
}

func (n *Node) byKey() map[string]*Node {
	values := make(map[string]*Node, len(n.Fields))
	for _, field := range n.Fields {
		values[field.Key] = field.Value
	}
	return values
}
