package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	stdhtml "golang.org/x/net/html"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/report/html"
	"github.com/scalelab/scalelab/sim"
)

// pageData reads what a page's curves are drawn from.
func pageData(t testing.TB, page string) (data html.Data) {
	t.Helper()
	found := regexp.MustCompile(`id="data">([A-Za-z0-9_-]+)</script>`).FindStringSubmatch(page)
	require.Len(t, found, 2)
	packed, err := base64.RawURLEncoding.DecodeString(found[1])
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	require.NoError(t, json.NewDecoder(z).Decode(&data))
	return data
}

// pageText is what a reader sees without scripts, and the elements that there are.
func pageText(t testing.TB, page string) (text string, elements map[string]int) {
	t.Helper()
	root, err := stdhtml.Parse(strings.NewReader(page))
	require.NoError(t, err)
	elements = map[string]int{}
	var walk func(*stdhtml.Node, bool)
	walk = func(n *stdhtml.Node, visible bool) {
		if n.Type == stdhtml.ElementNode {
			elements[n.Data]++
			visible = n.Data != "script" && n.Data != "style"
			for _, a := range n.Attr {
				require.NotContains(t, []string{"src", "href", "onclick", "style"}, a.Key, "in <%s>", n.Data)
			}
		}
		if n.Type == stdhtml.TextNode && visible {
			text += n.Data
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			walk(child, visible)
		}
	}
	walk(root, true)
	return text, elements
}

func TestRunPage(t *testing.T) {
	r := strategies[0].result(42)
	r.Description, r.Manifest = "what it is about", "replicas: 2\n"
	r.Metrics = []sim.MetricTrack{{Loop: "hpa", Name: "cpu utilization", Unit: "%", Target: new(70.0)}}
	page := runText(t, r, HTML, Options{Command: "scalelab run it", Version: "v1"})
	assert.Equal(t, page, runText(t, r, HTML, Options{Command: "scalelab run it", Version: "v1"}), "the same bytes")
	text, elements := pageText(t, page)
	assert.Equal(t, 3, elements["script"])
	for _, want := range []string{verdict(r), runLine(r), r.Fingerprint, "what it is about", "replicas: 2", "scalelab run it", "v1"} {
		assert.Contains(t, text, want)
	}
	for _, f := range figureTexts(r) {
		assert.Contains(t, text, f[1])
	}
	data := pageData(t, page)
	require.Len(t, data.Runs, 1)
	run := data.Runs[0]
	assert.Equal(t, r.Timeline.Ready, run.Ready)
	assert.Equal(t, r.Timeline.ArrivedRPS, run.Arrived)
	assert.Len(t, run.Decisions, len(r.Decisions))
	assert.Equal(t, "cpu utilization", run.Metrics[0].Name)
	assert.Empty(t, data.Points)

	text, _ = pageText(t, runText(t, r, HTML, Options{}))
	assert.Contains(t, text, "scalelab run "+r.Scenario+" --autoscaler "+r.Autoscaler+" --seed 42")
}

func TestComparePage(t *testing.T) {
	results := matrix(8)
	for _, r := range results {
		r.Manifest = "replicas: 1\nkind: same\n"
		if r.Autoscaler != results[0].Autoscaler {
			r.Manifest = "replicas: 2\nkind: same\n"
		}
	}
	c := outcome(results)
	page := compareText(t, c, HTML, Options{})
	text, _ := pageText(t, page)
	for _, sentence := range append(c.Comparison.Conclusion, compareTitle(c.Comparison), "-replicas: 1", "+replicas: 2", " kind: same") {
		assert.Contains(t, text, sentence)
	}
	data := pageData(t, page)
	assert.Len(t, data.Runs, len(c.Comparison.Autoscalers), "those of the first seed")
	assert.Equal(t, c.Comparison.Baseline, data.Shown)
	require.Len(t, data.Points, len(c.Comparison.Autoscalers))
	first := data.Points[0]
	assert.Equal(t, *c.Comparison.Of(first.Name, bench.LatencyP99).Median, *first.P99)
	if data.CostUnit == "pod-hours" {
		assert.Equal(t, *c.Comparison.Of(first.Name, bench.PodSeconds).Median/3600, *first.Cost)
	} else {
		assert.Equal(t, *c.Comparison.Of(first.Name, bench.CostTotal).Median, *first.Cost)
	}
}

// Whatever a user wrote stays text: no element, attribute or control character
// comes of it, and no script but the page's own may run.
func TestHostilePage(t *testing.T) {
	r := hostile()
	r.Description = `</title><script>alert(1)</script>"'` + "\u202egnp\u2066" + strings.Repeat("x", 10_000)
	r.Scenario = `"><img src=x onerror=alert(1)>`
	r.Manifest = "</pre></script><svg onload=alert(1)>\n"
	for _, page := range []string{
		runText(t, r, HTML, Options{Command: "</code><script>alert(1)</script>"}),
		compareText(t, outcomeAgainst(t, r.Autoscaler, r), HTML, Options{}),
	} {
		text, elements := pageText(t, page)
		assert.Equal(t, 3, elements["script"])
		assert.Zero(t, elements["img"]+elements["svg"]+elements["iframe"])
		assert.Contains(t, text, "<script>alert(1)</script>")
		assert.NotContains(t, page, "\u202e")
		assert.NotContains(t, page, "\x1b")
		policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1]
		policy = stdhtml.UnescapeString(policy)
		assert.Regexp(t, `^default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'sha256-[A-Za-z0-9+/=]{44}' 'sha256-[A-Za-z0-9+/=]{44}'; style-src 'sha256-[A-Za-z0-9+/=]{44}'$`, policy)
	}
}

func TestALongLogIsCutToItsChanges(t *testing.T) {
	r := strategies[0].result(42)
	holds := len(r.Decisions) - len(changing(r.Decisions))
	for i := range mostLogged {
		r.Decisions = append(r.Decisions, sim.Decision{TS: float64(i), Current: 3, Desired: 3})
	}
	run := pageData(t, runText(t, r, HTML, Options{})).Runs[0]
	assert.Len(t, run.Decisions, len(changing(r.Decisions)))
	assert.Equal(t, holds+mostLogged, run.Omitted)
}

func TestDifferencesOfManifests(t *testing.T) {
	of := func(name, manifest string) *sim.Result { return &sim.Result{Autoscaler: name, Manifest: manifest} }
	long := strings.Repeat("- another\n", shortDiff+5)
	list := differences([]*sim.Result{of("a", "x: 1\n"), of("b", "x: 2\n"), of("c", "x: 1\n"), of("d", long), of("e", ""), of("oracle", "{}\n")}, "a")
	require.Len(t, list, 4)
	assert.Equal(t, html.Difference{Title: "The manifest of a", Lines: []html.Line{{Text: "x: 1"}}}, list[0])
	assert.Equal(t, html.Difference{Title: "b, beside a", Open: true, Lines: []html.Line{
		{Kind: "hunk", Text: "@@ -1 +1 @@"}, {Kind: "removed", Text: "-x: 1"}, {Kind: "added", Text: "+x: 2"}}}, list[1])
	assert.Equal(t, html.Difference{Title: "c: the same"}, list[2])
	assert.False(t, list[3].Open, "a long one is folded up")
}
