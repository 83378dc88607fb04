package activator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// counts are what the worlds exercise: limits and activators in worlds, the rest
// in requests or in instants.
type counts map[string]int

// expected are what no long run may leave at zero.
const expected = `
limit:000 limit:001 limit:002 limit:003 limit:004 limit:010 limit:100
activators:01 activators:02 activators:03 activators:05 activators:15 world:direct world:alike world:foresight
activator:admits_at_once activator:admits_later activator:gives_up_waiting
pod:serves_at_once pod:serves_later pod:refuses pod:gives_up_waiting pod:gives_up_in_service
found:by_the_clock found:by_a_change found:fewer upstream:races
`

func (c counts) when(happens bool, name string) {
	if happens {
		c[name]++
	}
}

func (c counts) world(w *world) {
	c["world:all"]++
	c[fmt.Sprintf("limit:%03d", w.limit)]++
	c[fmt.Sprintf("activators:%02d", w.spec.Activators.Count)]++
	c.when(w.direct, "world:direct")
	c.when(w.alike, "world:alike")
	c.when(w.limit == 0 && w.spec.Activators.Count == 1, "world:foresight")
}

// unmet are the expected names that never came.
func (c counts) unmet() []string {
	return slices.DeleteFunc(strings.Fields(expected), func(name string) bool { return c[name] > 0 })
}

// String is a line for every kind of name.
func (c counts) String() string {
	var lines []string
	last := ""
	for _, name := range slices.Sorted(maps.Keys(c)) {
		kind, value, _ := strings.Cut(name, ":")
		if kind != last {
			lines = append(lines, fmt.Sprintf("%-10s", kind))
			last = kind
		}
		lines[len(lines)-1] += fmt.Sprintf(" %s %d", value, c[name])
	}
	return "exercised\n" + strings.Join(lines, "\n")
}
