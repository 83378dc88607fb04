//go:build !linux

package bench_test

import "time"

var started = time.Now()

// cpuTime is the wall time: the CPU time of a thread is not to be had here.
func cpuTime() time.Duration { return time.Since(started) }
