//go:build !linux

package bench_test

import "time"

var started = time.Now()

// threadTime and processTime are wall time: there is no common way to CPU time.
func threadTime() time.Duration  { return time.Since(started) }
func processTime() time.Duration { return time.Since(started) }
