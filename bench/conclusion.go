package bench

import (
	"fmt"
	"slices"
	"strings"
)

// conclude says in one or two sentences who is cheapest without losing
// requests, who is fastest, and what one costs against the other. The oracle
// does not compete. Strategies that cannot be told apart share a place.
func conclude(contest contest) []string {
	r := contest.r
	if len(contest.names) < 2 || !contest.any(contest.price) {
		return []string{}
	}
	lossless := contest.lossless()
	if len(lossless.names) == 0 {
		return contest.concludeLossy()
	}
	cheapest, fastest := lossless.best(lossless.price), lossless.best(LatencyP99)
	if len(lossless.names) == 1 {
		only := lossless.names[0]
		return []string{r.scope() + fmt.Sprintf("%s is the only one that loses no request: %s%s.",
			only, contest.worth(only), contest.cheaperButLossy(only))}
	}
	both := common(cheapest, fastest)
	if len(both) == len(lossless.names) {
		only := ""
		if len(both) < len(contest.names) {
			only = " are the only ones that lose no request, and they"
		}
		return []string{r.scope() + fmt.Sprintf("%s%s cannot be told apart: %s%s.",
			list(both), only, contest.worth(both[0]), contest.cheaperButLossy(both[0]))}
	}
	if len(both) > 0 {
		return []string{r.scope() + fmt.Sprintf("%s %s both the cheapest and the fastest that %s no request: %s%s.",
			list(both), are(both), verb(both, "loses", "lose"), contest.worth(both[0]), contest.cheaperButLossy(both[0]))}
	}
	first := r.scope() + fmt.Sprintf("%s %s the cheapest without losing a request: %s%s.",
		list(cheapest), are(cheapest), contest.worth(cheapest[0]), contest.cheaperButLossy(cheapest[0]))
	if len(fastest) == 0 {
		return []string{first}
	}
	return []string{first, contest.tradeOff(fastest, cheapest[0])}
}

// contest is the strategies that compete for a place.
type contest struct {
	c     *Comparison
	r     *runs
	names []string
	price string // the metric of what a strategy costs
}

// competitors are all but the oracle.
func competitors(c *Comparison, r *runs) contest {
	t := contest{c: c, r: r}
	for _, name := range r.names {
		if name != Oracle {
			t.names = append(t.names, name)
		}
	}
	t.price = PodSeconds
	if t.all(CostTotal) && r.pricedApart() {
		t.price = CostTotal
	}
	return t
}

// any says whether at least one has the metric.
func (t contest) any(metric string) bool {
	return slices.ContainsFunc(t.names, func(name string) bool { return t.c.Of(name, metric).Median != nil })
}

// all says whether every one has the metric.
func (t contest) all(metric string) bool {
	return !slices.ContainsFunc(t.names, func(name string) bool { return t.c.Of(name, metric).Median == nil })
}

// lossless are those that lost nothing with any seed.
func (t contest) lossless() contest {
	kept := contest{c: t.c, r: t.r, price: t.price}
	for _, name := range t.names {
		if lost := t.c.Of(name, "requests.lost").Max; lost != nil && *lost == 0 {
			kept.names = append(kept.names, name)
		}
	}
	return kept
}

// best are the names with the lowest median, together with those that cannot
// be told from the lowest. It is empty when nobody has the metric.
func (t contest) best(metric string) []string {
	lowest := ""
	for _, name := range t.names {
		median := t.c.Of(name, metric).Median
		if median != nil && (lowest == "" || *median < *t.c.Of(lowest, metric).Median) {
			lowest = name
		}
	}
	if lowest == "" {
		return nil
	}
	best := []string{lowest}
	for _, name := range t.names {
		if name != lowest && t.tied(metric, name, lowest) {
			best = append(best, name)
		}
	}
	return best
}

// tied says that two strategies cannot be told apart. With too few seeds for
// that question only identical values tie; scope says so to the reader.
func (t contest) tied(metric, name, other string) bool {
	return t.difference(metric, name, other).ties()
}

func (t contest) difference(metric, name, other string) *Difference {
	return t.r.difference(named(t.c.Metrics, metric), name, other)
}

func (d *Difference) ties() bool {
	return d.Mark == Identical || d.Mark == Indistinguishable && d.N >= MinSeeds
}

func (t contest) concludeLossy() []string {
	fewest := t.best(LostShare)
	cheapest := t.best(t.price)
	first := t.r.scope() + fmt.Sprintf("every strategy loses requests; %s %s fewest: %s.",
		list(fewest), verb(fewest, "loses", "lose"), t.worth(fewest[0]))
	first = strings.ToUpper(first[:1]) + first[1:]
	if len(common(fewest, cheapest)) > 0 {
		return []string{first}
	}
	return []string{first, fmt.Sprintf("%s %s cheapest: %s.", list(cheapest), are(cheapest), t.worth(cheapest[0]))}
}

// cheaperButLossy names the strategy that undercuts the named one by losing
// requests; of several the one that loses fewest.
func (t contest) cheaperButLossy(name string) string {
	limit := *t.c.Of(name, t.price).Median
	cheaper := contest{c: t.c, r: t.r, price: t.price}
	for _, other := range t.names {
		lost := t.c.Of(other, LostShare).Median
		if lost != nil && *lost > 0 && *t.c.Of(other, t.price).Median < limit && !t.tied(t.price, other, name) {
			cheaper.names = append(cheaper.names, other)
		}
	}
	best := cheaper.best(LostShare)
	if len(best) == 0 {
		return ""
	}
	needs := "needs"
	if t.price == CostTotal {
		needs = "costs"
	}
	return fmt.Sprintf(" (%s %s only %s but loses %s)", best[0], needs, t.amount(best[0]), Percent(*t.c.Of(best[0], LostShare).Median))
}

// amount is what a strategy costs, in the median.
func (t contest) amount(name string) string {
	median := *t.c.Of(name, t.price).Median
	if t.price == CostTotal {
		return Digits(median)
	}
	return PodHours(median) + " pod-hours"
}

// worth says what a strategy costs and gives, in medians.
func (t contest) worth(name string) string {
	c, parts := t.c, []string{t.amount(name)}
	if t.price == CostTotal {
		parts[0] = "cost " + parts[0]
	}
	if p99 := c.Of(name, LatencyP99).Median; p99 != nil {
		parts = append(parts, "p99 "+Seconds(*p99))
	}
	if lost := c.Of(name, LostShare).Median; lost != nil && *lost > 0 {
		parts = append(parts, Percent(*lost)+" lost")
	}
	return strings.Join(parts, ", ")
}

// tradeOff compares the fastest with the cheapest.
func (t contest) tradeOff(fastest []string, cheapest string) string {
	c := t.c
	quick := *c.Of(fastest[0], LatencyP99).Median
	instead := ""
	if slow := c.Of(cheapest, LatencyP99).Median; slow != nil {
		instead = " instead of " + Seconds(*slow)
	}
	price := ""
	if low := *c.Of(cheapest, t.price).Median; low > 0 {
		less, what := "fewer", " pod-hours"
		if t.price == CostTotal {
			less, what = "less", " money"
		}
		price = ", for " + multiple(*c.Of(fastest[0], t.price).Median/low, less) + what
	}
	return fmt.Sprintf("%s %s the fastest without losing any: p99 %s%s%s.",
		list(fastest), are(fastest), Seconds(quick), instead, price)
}

// multiple words a ratio: "8.0 % more", "2.40 times the", "3.0 % fewer".
func multiple(ratio float64, less string) string {
	switch {
	case ratio < 1:
		return Percent(1-ratio) + " " + less
	case ratio < 2:
		return Percent(ratio-1) + " more"
	}
	return Digits(ratio) + " times the"
}

// scope says what the figures hold for when that is little.
func (r *runs) scope() string {
	switch n := len(r.seeds); {
	case n == 1:
		return fmt.Sprintf("With seed %d, ", r.seeds[0])
	case n < MinSeeds:
		return fmt.Sprintf("In the median of %d seeds, ", n)
	}
	return ""
}

func common(a, b []string) []string {
	var both []string
	for _, name := range a {
		if slices.Contains(b, name) {
			both = append(both, name)
		}
	}
	return both
}

// list joins names as a sentence does: a, b and c.
func list(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func are(names []string) string { return verb(names, "is", "are") }

func verb(names []string, one, several string) string {
	if len(names) == 1 {
		return one
	}
	return several
}
