// SPDX-License-Identifier: MIT
//
// Go's side of the works between two loops:
//
//	cross-go threads   two goroutines, each locked to a thread of its own that is bound to a processor; two channels
//	cross-go free      the same, not locked: the scheduler keeps both on one P most of the time
//	cross-go rare      as threads, but 200 us pass between two round trips: both threads are asleep by then
//
// Run with GOMAXPROCS=2.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"syscall"
	"time"
	"unsafe"
)

const (
	batches   = 1001
	batch     = 100
	rarePause = 200 * time.Microsecond
)

// Nanoseconds of CPU, user and system, that this process has used.
func cpuNow() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Locks the goroutine to its thread, and binds that to a processor, if there is such a one.
func lock(processor uint) {
	mask := [16]uint64{1 << processor}
	runtime.LockOSThread()
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
}

// Medians of batches, as bine's side has them.
func measure(trip func(n int), n int, pause time.Duration) {
	var walls, cpus []float64
	for i := 0; i < batches; i++ {
		if pause > 0 {
			time.Sleep(pause)
		}
		begun, used := time.Now(), cpuNow()
		trip(n)
		cpus = append(cpus, float64(cpuNow()-used)/float64(n))
		walls = append(walls, float64(time.Since(begun))/float64(n))
	}
	sort.Float64s(walls)
	sort.Float64s(cpus)
	fmt.Printf("trip %.3f ns\ncpu %.3f ns\n", walls[batches/2], cpus[batches/2])
}

func main() {
	work := ""
	if len(os.Args) > 1 {
		work = os.Args[1]
	}
	switch work {
	case "threads", "free", "rare":
	default:
		fmt.Fprintln(os.Stderr, "usage: cross-go threads | free | rare")
		os.Exit(2)
	}
	locked := work == "threads" || work == "rare"
	there, here := make(chan int64), make(chan int64)
	go func() {
		if locked {
			lock(1)
		}
		for value := range there {
			here <- value
		}
	}()
	if locked {
		lock(0)
	}
	trip := func(n int) {
		for i := int64(0); i < int64(n); i++ {
			there <- i
			if <-here != i {
				panic("the values")
			}
		}
	}
	if work == "rare" {
		measure(trip, 1, rarePause)
		return
	}
	measure(trip, batch, 0)
}
