package bench_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/scenarios"
	"github.com/scalelab/scalelab/sim"
)

const museumPage = "../docs/museum.md"

const museumHead = `# The museum of known faults

Each scenario of the first table shows one known fault of KubeElasti on the same requests: with the behaviour of a released version, and with ` + "`fixed`" + `, our default, in which it is mended. ` + "`scalelab compare museum-350-deaf`" + ` replays one of them; ` + "`scalelab scenarios museum-350-deaf`" + ` prints its YAML with the story. This page is written by the tests (` + "`make golden`" + `).

| scenario | KubeElasti | requests | lost | cold | p99 |
|---|---|---:|---:|---:|---:|
`

const museumKnative = `
Three reports about Knative's autoscaler, with today's rules. "Wanted" is the most pods that were wanted at a time, "turns" how often the count changed its direction.

| scenario | strategy | requests | lost | p99 | wanted | turns | pod-hours |
|---|---|---:|---:|---:|---:|---:|---:|
`

const museumKeda = `
Seven reports about KEDA, with the rules of 2.21, and what helps; [keda.md](keda.md#what-users-reported) says who was right.

| scenario | strategy | requests | lost | p99 | wanted | turns | pod-hours |
|---|---|---:|---:|---:|---:|---:|---:|
`

const museumWeather = `
Four pieces of weather around an HPA; [weather.md](weather.md) says what one expects of each, and why it comes so.

| scenario | strategy | requests | lost | p99 | wanted | turns | pod-hours |
|---|---|---:|---:|---:|---:|---:|---:|
`

// weatherPieces are those scenarios.
var weatherPieces = []string{"metrics-outage", "readiness-cascade", "rollout-overshoot", "slow-nodes"}

const museumFoot = `
Not shown of KubeElasti, because they depend on the interleaving of threads, or on what is outside of one workload: slots that leak when two requests leave in the same instant, the queue counter that is read and written without a lock, and the Prometheus response that is decoded into a global of the package. Our own resolver and scaler have none of the three.
`

// TestMuseumPage holds docs/museum.md against what the scenarios give.
func TestMuseumPage(t *testing.T) {
	var page, knative, keda, weather strings.Builder
	page.WriteString(museumHead)
	knative.WriteString(museumKnative)
	keda.WriteString(museumKeda)
	weather.WriteString(museumWeather)
	for _, name := range scenarios.Names() {
		piece := slices.Contains(weatherPieces, name)
		if !strings.HasPrefix(name, "museum-") && !piece {
			continue
		}
		s, err := scenarios.Load(name)
		require.NoError(t, err)
		for _, autoscaler := range s.AutoscalerNames() {
			spec, err := s.Spec(autoscaler, s.Document.Seed)
			require.NoError(t, err)
			r, err := sim.Run(context.Background(), spec)
			require.NoError(t, err)
			table := &page
			switch {
			case spec.Strategy.Knative != nil:
				table = &knative
			case spec.Strategy.Keda != nil:
				table = &keda
			case piece:
				table = &weather
			}
			if table != &page {
				fmt.Fprintf(table, "| %s | %s | %d | %d | %s | %d | %d | %s |\n", name, autoscaler, r.Requests.Arrived, r.Requests.Lost(),
					bench.Seconds(r.LatencyS.P99), r.Replicas.MaxDesired, r.Replicas.Flaps, bench.PodHours(r.PodSeconds))
				continue
			}
			fmt.Fprintf(&page, "| %s | %s | %d | %d | %d | %s |\n", name, spec.Strategy.Elasti.World.Behaviour,
				r.Requests.Arrived, r.Requests.Lost(), r.Requests.Cold, bench.Seconds(r.LatencyS.P99))
		}
	}
	page.WriteString(knative.String())
	page.WriteString(keda.String())
	page.WriteString(weather.String())
	page.WriteString(museumFoot)
	if *update {
		require.NoError(t, os.WriteFile(museumPage, []byte(page.String()), 0o644))
	}
	written, err := os.ReadFile(museumPage)
	require.NoError(t, err)
	assert.Equal(t, string(written), page.String())
}
