// SPDX-License-Identifier: MIT
//
// Go's side of the works about channels and locks:
//
//	chan-go meet | buffer | select | mutex
//
// Run with GOMAXPROCS=1.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
)

const (
	messages = 5000000
	buffer   = 128
	ways     = 8
	selects  = 2000000
	locks    = 2000000
)

// Nanoseconds of CPU, user and system, that this process has used.
func cpuNow() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func figure(name string, value float64, unit string) {
	fmt.Printf("%s %.3f %s\n", name, value, unit)
}

func measureOneWay(capacity int) {
	c := make(chan int64, capacity)
	var sum int64
	start := cpuNow()
	go func() {
		for i := int64(0); i < messages; i++ {
			c <- i
		}
	}()
	for i := 0; i < messages; i++ {
		sum += <-c
	}
	figure("message", float64(cpuNow()-start)/messages, "ns")
	if sum != messages*(messages-1)/2 {
		panic("the values")
	}
}

func measureSelect() {
	var c [ways]chan int64
	for i := range c {
		c[i] = make(chan int64, 1)
	}
	start := cpuNow()
	for i := int64(0); i < selects; i++ {
		way := int(i * 5 % ways)
		c[way] <- i
		var got int
		var value int64
		select {
		case value = <-c[0]:
			got = 0
		case value = <-c[1]:
			got = 1
		case value = <-c[2]:
			got = 2
		case value = <-c[3]:
			got = 3
		case value = <-c[4]:
			got = 4
		case value = <-c[5]:
			got = 5
		case value = <-c[6]:
			got = 6
		case value = <-c[7]:
			got = 7
		}
		if got != way || value != i {
			panic("select")
		}
	}
	figure("select", float64(cpuNow()-start)/selects, "ns")
}

func measureMutex() {
	var mutex sync.Mutex
	var both sync.WaitGroup
	hold := func() {
		for i := 0; i < locks; i++ {
			mutex.Lock()
			runtime.Gosched()
			mutex.Unlock()
		}
		both.Done()
	}
	both.Add(2)
	start := cpuNow()
	go hold()
	go hold()
	both.Wait()
	figure("lock", float64(cpuNow()-start)/(2*locks), "ns")
}

func main() {
	work := ""
	if len(os.Args) > 1 {
		work = os.Args[1]
	}
	switch work {
	case "meet":
		measureOneWay(0)
	case "buffer":
		measureOneWay(buffer)
	case "select":
		measureSelect()
	case "mutex":
		measureMutex()
	default:
		fmt.Fprintln(os.Stderr, "usage: chan-go meet | buffer | select | mutex")
		os.Exit(2)
	}
}
