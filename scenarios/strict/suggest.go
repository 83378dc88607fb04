package strict

import (
	"fmt"
	"strings"
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
		d := distance(strings.ToLower(written), strings.ToLower(candidate))
		if d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours between two words (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
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
