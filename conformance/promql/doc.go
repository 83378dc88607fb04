// Package promql holds the simulated Prometheus beside a real one: the same samples,
// counters with resets, gauges, series that end and come back with their stale
// markers, and the same queries over HTTP, whose results have to be the same text.
//
// The real server is a binary called prometheus on the path; without one the test is
// skipped. Samples are pushed to it (--web.enable-remote-write-receiver) with the
// instants of the virtual clock.
package promql
