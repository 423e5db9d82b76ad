// SPDX-License-Identifier: MIT
//
// Go's side of the work about groups, with errgroup. Run with GOMAXPROCS=1.
package main

import (
	"fmt"
	"syscall"

	"golang.org/x/sync/errgroup"
)

const (
	children = 1000
	groups   = 2000
)

// Nanoseconds of CPU, user and system, that this process has used.
func cpuNow() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func nothing() error { return nil }

func main() {
	var start int64
	for i := -groups / 10; i < groups; i++ {
		if i == 0 {
			start = cpuNow()
		}
		var g errgroup.Group
		for k := 0; k < children; k++ {
			g.Go(nothing)
		}
		if err := g.Wait(); err != nil {
			panic(err)
		}
	}
	fmt.Printf("child %.3f ns\n", float64(cpuNow()-start)/(groups*children))
}
