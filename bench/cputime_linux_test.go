package bench_test

import (
	"runtime"
	"syscall"
	"time"
)

// cpuTime is the CPU time of the thread that the goroutine is locked to.
func cpuTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var usage syscall.Rusage
	runtime.LockOSThread()
	if err := syscall.Getrusage(thread, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
