package scenarios

import "github.com/scalelab/scalelab/scenarios/strict"

// Shape is what the decoder alone says of a scenario.
func Shape(src []byte) strict.Problems {
	root, problems := strict.Parse("s.yaml", src)
	if len(problems) > 0 {
		return problems
	}
	doc := Defaults()
	return strict.Decode(root, &doc, options)
}
