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
		d := distance(found, name)
		if d <= max(1, len(name)/3) && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(diagonal+cost, row[j]+1, row[j+1]+1)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
