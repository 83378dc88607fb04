package promql

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// drawQuery is an expression over the series of a world. Left out is what differs
// between Prometheus 2 and 3: sums of more than two broken numbers, means, and quantiles
// of the rates of a histogram, by the last digits of the arithmetic; the first of equal
// ones in topk and bottomk; and what one of them does not know.
func drawQuery(dice *rand.Rand) string {
	return pick(dice, []func(*rand.Rand) string{
		single, single, aggregated, aggregated, aggregated, calculated, compared, nested, nested, joined, labelled, ranked, plain,
	})(dice)
}

func pick[T any](dice *rand.Rand, list []T) T { return list[dice.IntN(len(list))] }

func duration(dice *rand.Rand) string {
	return pick(dice, []string{"45s", "1m", "90s", "2m", "5m", "10m", "17m", "30m"})
}

func matchers(dice *rand.Rand) string {
	return pick(dice, []string{``, `{service="web"}`, `{service=~"web|api"}`, `{pod=~".*-00001"}`, `{service!="shop"}`, `{service!~"a.*"}`, `{pod="web-00000"}`})
}

func counter(dice *rand.Rand) string {
	return pick(dice, []string{"http_requests_total", "container_cpu_usage_seconds_total"}) + matchers(dice)
}

func gauge(dice *rand.Rand) string {
	return pick(dice, []string{"queue_length", "temperature", "up"}) + matchers(dice)
}

func offset(dice *rand.Rand) string {
	return pick(dice, []string{"", "", "", " offset 3m", " offset 20m", " offset -1m", " @ end()"})
}

// single is a function of one range.
func single(dice *rand.Rand) string {
	if dice.IntN(2) == 0 {
		return fmt.Sprintf("%s(%s[%s]%s)", pick(dice, []string{"rate", "increase", "irate", "resets", "changes", "count_over_time"}), counter(dice), duration(dice), offset(dice))
	}
	if dice.IntN(4) == 0 {
		return fmt.Sprintf("quantile_over_time(0.%d, %s[%s])", dice.IntN(100), gauge(dice), duration(dice))
	}
	return fmt.Sprintf("%s(%s[%s]%s)", pick(dice, []string{"delta", "idelta", "min_over_time", "max_over_time", "last_over_time", "present_over_time",
		"sum_over_time", "changes"}), gauge(dice), duration(dice), offset(dice))
}

// aggregated is one value for each group; each group of a service and a code has two.
func aggregated(dice *rand.Rand) string {
	switch dice.IntN(3) {
	case 0:
		return fmt.Sprintf("sum by (service%s) (%s(%s[%s]%s))", pick(dice, []string{", code", ", code, absent"}),
			pick(dice, []string{"rate", "increase", "irate"}), counter(dice), duration(dice), offset(dice))
	case 1: // whole numbers, of as many as there are
		return fmt.Sprintf("%s%s (queue_length%s%s)", pick(dice, []string{"sum", "count", "max", "min", "group"}), pick(dice, []string{"", " by (service)", " without (pod)"}), matchers(dice), offset(dice))
	}
	return fmt.Sprintf("%s by (service) (rate(%s[%s]))", pick(dice, []string{"max", "min", "count", "quantile(0.5, x)", "group"}), counter(dice), duration(dice))
}

// calculated is arithmetic.
func calculated(dice *rand.Rand) string {
	return fmt.Sprintf("%s(%s %s %d%s)", pick(dice, []string{"", "abs", "ceil", "floor", "sqrt", "sgn", "-", "exp"}),
		pick(dice, []string{"queue_length", "temperature", "time()", "sum(queue_length)", "scalar(sum(up))", "vector(3)"}),
		pick(dice, []string{"+", "-", "*", "/", "%", "^"}), dice.IntN(7), pick(dice, []string{"", " * 0.1", " / 3"}))
}

// compared keeps some elements, or says which it would.
func compared(dice *rand.Rand) string {
	return fmt.Sprintf("%s %s %s%d", gauge(dice), pick(dice, []string{">", "<", ">=", "<=", "==", "!="}), pick(dice, []string{"", "bool "}), dice.IntN(40))
}

// nested is a subquery.
func nested(dice *rand.Rand) string {
	return fmt.Sprintf("%s(%s[%s:%s]%s)", pick(dice, []string{"max_over_time", "min_over_time", "count_over_time", "last_over_time", "changes"}),
		pick(dice, []string{"(max(up) or vector(0))", "rate(http_requests_total[2m])", "sum(queue_length)", "sum by (service, code) (rate(http_requests_total[90s]))", "queue_length", "max(temperature offset 1m)"}),
		duration(dice), pick(dice, []string{"", "", "10s", "1m", "45s"}), pick(dice, []string{"", "", " offset 5m"}))
}

// joined brings two vectors together.
func joined(dice *rand.Rand) string {
	return pick(dice, []string{
		`http_requests_total{code="500"} / ignoring(code) http_requests_total{code="200"}`,
		`sum by (service) (queue_length) / on (service) count by (service) (up)`,
		`queue_length * on (service, pod) group_left up`,
		`http_requests_total * on (service, pod) group_left up`,
		`queue_length and on (service, pod) (up == 1)`,
		`queue_length unless on (service, pod) (up == 0)`,
		`queue_length{service="web"} or temperature`,
		`sum(rate(http_requests_total{pod="web-00000"}[1m])) or vector(0)`,
		`sum(rate(nothing[1m])) or vector(0)`,
		`absent(queue_length{pod="web-00001"})`, `absent(nothing{a="b"})`, `absent_over_time(queue_length{pod="web-00001"}[2m])`,
	}) + pick(dice, []string{"", " > 0.5", " * 2"})
}

// labelled changes labels.
func labelled(dice *rand.Rand) string {
	return fmt.Sprintf(pick(dice, []string{
		`label_replace(%s, "short", "$1", "pod", "(.*)-.*")`, `label_join(%s, "both", "/", "service", "pod")`, `clamp(%s, 3, 20)`, `round(%s, 0.25)`, `timestamp(%s)`,
		`count_values("value", %s)`,
	}), gauge(dice))
}

// ranked are in an order, or need one.
func ranked(dice *rand.Rand) string {
	return pick(dice, []string{
		fmt.Sprintf(`topk(%d, temperature)`, 1+dice.IntN(5)), fmt.Sprintf(`bottomk(%d, rate(container_cpu_usage_seconds_total[%s]))`, 1+dice.IntN(5), duration(dice)),
		fmt.Sprintf(`quantile(0.%d, queue_length)`, dice.IntN(100)), fmt.Sprintf(`quantile by (service) (0.%d, rate(http_requests_total[%s]))`, dice.IntN(100), duration(dice)),
		fmt.Sprintf(`histogram_quantile(0.%d, latency_seconds_bucket)`, dice.IntN(100)),
	})
}

// plain are selectors and numbers.
func plain(dice *rand.Rand) string {
	return pick(dice, []string{counter(dice) + offset(dice), gauge(dice) + offset(dice), `time()`, `1 / 3`, `vector(1e-7)`, `scalar(queue_length{pod="api-00000"})`,
		`minute()`, `hour(vector(1767614000))`, `day_of_week()`, `{__name__=~"que.*|up",pod=~"web.*"}`, `pi() * 1e20`, `vector(-1/0)`, `vector(0/0)`})
}

// fixed gives quantile its other argument.
func fixed(query string) string {
	if rest, found := strings.CutPrefix(query, "quantile(0.5, x) by (service) ("); found {
		return "quantile by (service) (0.5, " + rest
	}
	return query
}
