package strict

import (
	"fmt"
	"strings"

	"github.com/scalelab/scalelab/messages"
)

// DidYouMean is ` (did you mean "x"?)` for the candidate nearest to what was
// written, or nothing when none is near: at most a third of the letters differ.
func DidYouMean(written string, candidates []string) string {
	if best := nearest(written, candidates); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return ""
}

func nearest(written string, candidates []string) string {
	if len(written) > 64 {
		return ""
	}
	best, least := "", 1+max(1, len(written)/3)
	for _, candidate := range candidates {
		d := messages.Distance(strings.ToLower(written), strings.ToLower(candidate))
		if d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// oneOf lists choices for a message, the first dozen of them.
func oneOf(choices []string) string {
	const most = 12
	if len(choices) == 1 {
		return choices[0]
	}
	if len(choices) > most {
		return "one of " + strings.Join(choices[:most], ", ") + ", ..."
	}
	return "one of " + strings.Join(choices, ", ")
}
