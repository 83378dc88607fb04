package messages

import (
	"fmt"
	"strings"
)

// OneOf words what was expected: the names that would do, and the one that was
// probably meant.
func OneOf(found string, names []string) string {
	text := "expected " + names[0]
	if len(names) > 1 {
		text = "expected one of " + strings.Join(names, ", ")
	}
	if near := Nearest(found, names); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return text
}

// Nearest is the first of the names with the smallest edit distance, or none if
// even that one differs in more than a third of its letters.
func Nearest(found string, names []string) string {
	best, least := "", 0
	for _, name := range names {
		d := Distance(found, name)
		if d <= max(1, len(name)/3) && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
}

// Distance is the number of insertions, deletions, substitutions and swaps of
// neighbours of bytes between two words (optimal string alignment).
func Distance(a, b string) int {
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
