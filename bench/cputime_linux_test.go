package bench_test

import (
	"runtime"
	"syscall"
	"time"
)

// threadTime is the CPU time of the thread, to which the goroutine is locked from
// now on.
func threadTime() time.Duration {
	runtime.LockOSThread()
	const thread = 1 // RUSAGE_THREAD
	return cpuTime(thread)
}

// processTime is the CPU time of the process, on all cores together.
func processTime() time.Duration { return cpuTime(syscall.RUSAGE_SELF) }

func cpuTime(who int) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
