// Package browser opens the HTML reports in a real browser and uses them as a
// reader does: moves the cursor, zooms, picks autoscalers, follows the log, by
// mouse and by keyboard, in both themes and on a telephone's width.
//
// It needs Chromium (chromium, google-chrome or $CHROMIUM) and skips without one.
package browser

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/report"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

var shots = flag.String("shots", "", "directory to put pictures of the pages into")

// browserPath is empty where there is none.
func browserPath() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// reader is a browser with one page open.
type reader struct {
	t        *testing.T
	ctx      context.Context
	problems []string // what the console says, and what the page asks a network for
}

// open shows a page at a width.
func open(t *testing.T, page string, width, height int64) *reader {
	t.Helper()
	path := browserPath()
	if path == "" {
		t.Skip("no Chromium here: looked for $CHROMIUM, chromium, chromium-browser and google-chrome")
	}
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	r := &reader{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, r.hear)
	r.do(network.Enable(), log.Enable(), runtime.Enable(),
		emulation.SetDeviceMetricsOverride(width, height, 1, width < 600),
		chromedp.Navigate("file://"+file), chromedp.WaitReady(`html[data-ready="true"]`))
	return r
}

func (r *reader) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		r.problems = append(r.problems, fmt.Sprintf("console: %s %v", e.Type, e.Args))
	case *runtime.EventExceptionThrown:
		r.problems = append(r.problems, "exception: "+e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if !strings.Contains(e.Entry.Text, "willReadFrequently") { // lanes reads the canvases
			r.problems = append(r.problems, "log: "+e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "file:") {
			r.problems = append(r.problems, "network: "+e.Request.URL)
		}
	}
}

func (r *reader) do(actions ...chromedp.Action) {
	r.t.Helper()
	require.NoError(r.t, chromedp.Run(r.ctx, actions...))
}

func ask[T any](r *reader, expression string) (answer T) {
	r.t.Helper()
	r.do(chromedp.Evaluate(expression, &answer))
	return answer
}

// shoot takes a picture of the whole page.
func (r *reader) shoot(name string) {
	if *shots == "" {
		return
	}
	var picture []byte
	r.do(chromedp.FullScreenshot(&picture, 100))
	require.NoError(r.t, os.WriteFile(filepath.Join(*shots, name+".png"), picture, 0o644))
}

// lanes are the titles of the curves that have something drawn on them.
func (r *reader) lanes() []string {
	return ask[[]string](r, `[...document.querySelectorAll(".lane")].filter(lane => {
		const canvas = lane.querySelector("canvas"), pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
		let drawn = 0;
		for (let i = 3; i < pixels.length; i += 4) if (pixels[i] > 0) drawn++;
		return drawn > 500;
	}).map(lane => lane.dataset.lane)`)
}

func (r *reader) readout() string {
	return ask[string](r, `document.getElementById("readout").innerText`)
}

// place is the middle of an element, or a share of its width.
func (r *reader) place(selector string, share float64) (x, y float64) {
	box := ask[[]float64](r, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "center"});
		const b = e.getBoundingClientRect(); return [b.left + b.width * %v, b.top + b.height / 2]; })()`, selector, share))
	return box[0], box[1]
}

func (r *reader) mouse(kind input.MouseType, x, y float64, buttons int64) {
	event := input.DispatchMouseEvent(kind, x, y).WithButtons(buttons)
	if kind != input.MouseMoved {
		event = event.WithButton(input.Left).WithClickCount(1)
	}
	r.do(event)
}

func page(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, write(&text))
	return text.String()
}

func result(t *testing.T, scenario, autoscaler string) *sim.Result {
	t.Helper()
	s, err := scenarios.Load(scenario)
	require.NoError(t, err)
	spec, err := s.Spec(autoscaler, 42)
	require.NoError(t, err)
	r, err := sim.Run(t.Context(), spec)
	require.NoError(t, err)
	return r
}

func outcome(t *testing.T, scenario string) *bench.Outcome {
	t.Helper()
	s, err := scenarios.Load(scenario)
	require.NoError(t, err)
	names := s.AutoscalerNames()
	if !slices.Contains(names, bench.Oracle) {
		names = append(names, bench.Oracle)
	}
	m := bench.Matrix{Scenario: s, Autoscalers: names, Seeds: bench.Seeds(42, 6)}
	results, err := m.Replay(t.Context())
	require.NoError(t, err)
	c, err := bench.NewOutcome(results, "")
	require.NoError(t, err)
	return c
}

func TestRunPage(t *testing.T) {
	run := result(t, "flash-crowd", "hpa-70")
	r := open(t, page(t, func(b *bytes.Buffer) error { return report.Run(b, run, report.HTML, report.Options{}) }), 1280, 900)
	all := []string{"Requests per second", "Replicas", "Latency", "Requests waiting", "cpu utilization"}
	assert.Equal(t, all, r.lanes())
	r.shoot("run-1280-light")

	// The cursor reads every lane, and the log follows it.
	x, y := r.place(".lane:nth-child(2) .u-over", 0.5)
	r.mouse(input.MouseMoved, x, y, 0)
	read := r.readout()
	for _, want := range []string{"22m", "offered", "served", "lost", "ideal", "desired", "created", "ready", "p50", "p90", "p99", "queue", "truth", "seen", "old", "target"} {
		assert.Contains(t, read, want)
	}
	assert.Contains(t, ask[string](r, `document.querySelector("#log button.now").innerText`), "11m15s")

	// Dragging zooms all lanes, and a double click ends it.
	from, y := r.place(".lane:nth-child(1) .u-over", 0.2)
	to, _ := r.place(".lane:nth-child(1) .u-over", 0.3)
	r.mouse(input.MouseMoved, from, y, 0)
	r.mouse(input.MousePressed, from, y, 1)
	r.mouse(input.MouseMoved, to, y, 1)
	r.mouse(input.MouseReleased, to, y, 0)
	zoomed := ask[string](r, `document.getElementById("zoomed").textContent`)
	assert.Regexp(t, `^(8m5|9m).* to 13m`, zoomed)
	assert.Equal(t, all, r.lanes())
	r.shoot("run-1280-zoomed")
	r.do(chromedp.Click("#all"))
	assert.Empty(t, ask[string](r, `document.getElementById("zoomed").textContent`))

	// The keyboard does the same.
	r.do(chromedp.Focus("#lanes"), chromedp.KeyEvent(kb.Home))
	assert.Contains(t, r.readout(), "0s")
	before := r.readout()
	r.do(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent("+"))
	assert.NotEqual(t, before, r.readout())
	assert.NotEmpty(t, ask[string](r, `document.getElementById("zoomed").textContent`))
	r.do(chromedp.KeyEvent("0"))

	// An entry of the log opens its steps and moves the cursor.
	r.do(chromedp.Click("#log button:nth-of-type(2)"))
	assert.Contains(t, r.readout(), "10m30s")
	assert.Equal(t, "true", ask[string](r, `document.querySelector("#log button:nth-of-type(2)").getAttribute("aria-expanded")`))
	assert.NotEmpty(t, ask[string](r, `document.querySelector("#log ul:not([hidden])").innerText`))

	r.do(chromedp.Click("#theme"))
	assert.Equal(t, "dark", ask[string](r, `document.documentElement.dataset.theme`))
	r.shoot("run-1280-dark")
	assert.Empty(t, r.problems)
}

func TestComparePage(t *testing.T) {
	c := outcome(t, "flash-crowd")
	r := open(t, page(t, func(b *bytes.Buffer) error { return report.Compare(b, c, report.HTML, report.Options{}) }), 1280, 900)
	assert.Equal(t, []string{"Requests per second", "Ready replicas", "Latency p99", "Requests lost per second"}, r.lanes())
	assert.Equal(t, len(c.Comparison.Autoscalers), ask[int](r, `document.querySelectorAll("#pareto circle").length`))
	assert.Equal(t, len(c.Comparison.Autoscalers), ask[int](r, `document.querySelectorAll("#curve polyline").length`))
	r.shoot("compare-1280-light")

	r.do(chromedp.Click("#toggles button:nth-child(2)"))
	assert.Equal(t, "false", ask[string](r, `document.querySelector("#toggles button:nth-child(2)").getAttribute("aria-pressed")`))
	r.do(chromedp.Click("#toggles button:nth-child(2)"))

	r.do(chromedp.SetValue("#view", "hpa-50"), chromedp.Evaluate(`document.getElementById("view").dispatchEvent(new Event("change"))`, nil))
	assert.Equal(t, []string{"Requests per second", "Replicas", "Latency", "Requests waiting", "cpu utilization"}, r.lanes())
	assert.Contains(t, ask[string](r, `document.body.innerText`), "Decisions of hpa-50")
	assert.Empty(t, r.problems)
}

// On a telephone nothing but tables and code is wider than the screen.
func TestNarrowPages(t *testing.T) {
	c := outcome(t, "flash-crowd")
	run := result(t, "knative-flash-crowd", "knative")
	for name, text := range map[string]string{
		"compare-390-light": page(t, func(b *bytes.Buffer) error { return report.Compare(b, c, report.HTML, report.Options{}) }),
		"run-390-light":     page(t, func(b *bytes.Buffer) error { return report.Run(b, run, report.HTML, report.Options{}) }),
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, text, 390, 800)
			assert.Equal(t, 390, ask[int](r, `document.documentElement.scrollWidth`))
			assert.GreaterOrEqual(t, len(r.lanes()), 4)
			r.shoot(name)
			r.do(chromedp.Evaluate(`document.getElementById("theme").click()`, nil))
			r.shoot(name[:len(name)-len("light")] + "dark")
			assert.Empty(t, r.problems)
		})
	}
}

// Where there are more instants than pixels, the greatest and the least stay.
func TestNoSpikeIsLost(t *testing.T) {
	run := result(t, "flash-crowd", "hpa-70")
	const n, spike = 20_000, 12_345
	line := sim.Timeline{IntervalS: 1}
	for i := range n {
		rate := 10.0
		if i == spike {
			rate = 99_999
		}
		line.TS = append(line.TS, float64(i+1))
		line.ArrivedRPS, line.CompletedRPS, line.LostRPS = append(line.ArrivedRPS, rate), append(line.CompletedRPS, 10), append(line.LostRPS, 0)
		line.Desired, line.Created, line.Ready = append(line.Desired, 1), append(line.Created, 1), append(line.Ready, 1)
		line.Queue, line.LatencyP99S = append(line.Queue, 0), append(line.LatencyP99S, nil)
	}
	run.Timeline, run.DurationS, run.Metrics = line, n, nil
	r := open(t, page(t, func(b *bytes.Buffer) error { return report.Run(b, run, report.HTML, report.Options{}) }), 1280, 900)
	x, y := r.place(".lane:nth-child(1) .u-over", (spike+1)/float64(n))
	r.mouse(input.MouseMoved, x, y, 0)
	assert.Contains(t, r.readout(), "offered 99,999")
	assert.Empty(t, r.problems)
}

// Names that try to be markup are shown, and do nothing.
func TestHostilePage(t *testing.T) {
	run := result(t, "flash-crowd", "hpa-70")
	run.Scenario = `</h1><script>document.documentElement.dataset.owned = "yes"</script>`
	run.Description = `<img src=x onerror="document.documentElement.dataset.owned='yes'">` + "\u202e"
	run.Phases[0].Name = `<svg onload="document.documentElement.dataset.owned='yes'">`
	run.Decisions[0].Message = run.Description
	r := open(t, page(t, func(b *bytes.Buffer) error { return report.Run(b, run, report.HTML, report.Options{}) }), 1280, 900)
	assert.Empty(t, ask[string](r, `document.documentElement.dataset.owned || ""`))
	assert.Contains(t, ask[string](r, `document.querySelector("h1").innerText`), "<script>")
	assert.Zero(t, ask[int](r, `document.querySelectorAll("img").length`))
	assert.Empty(t, r.problems)
}
