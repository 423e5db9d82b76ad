// SPDX-License-Identifier: MIT
//
// Go's side of the bench: one program, a work as its first argument.
//
//	go yield N | spawn | wave | crowd N | timer | sleepers N | parked N | echo PORT | idle PORT | http PORT
//
// Run with GOMAXPROCS=1.  "echo" serves until it is ended; "idle" does so with one buffer for all
// connections, so that a waiting one holds none.  "crowd": as in bine/tasks.c.
package main

import (
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Nanoseconds of CPU, user and system, that this process has used.
func cpuNow() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// What the line of a file below /proc/self that begins with the key says in KiB, in bytes.
func procBytes(name, key string) int64 {
	text, err := os.ReadFile("/proc/self/" + name)
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, key) {
			kib, _ := strconv.ParseInt(strings.Fields(line)[1], 10, 64)
			return kib * 1024
		}
	}
	panic(key)
}

// Bytes of memory that this process holds, its page tables included.
func memoryNow() int64 {
	return procBytes("smaps_rollup", "Rss:") + procBytes("status", "VmPTE:")
}

func figure(name string, value float64, unit string) {
	fmt.Printf("%s %.3f %s\n", name, value, unit)
}

func measureYield(tasks int) {
	rounds := 1000000 / tasks
	var all sync.WaitGroup
	all.Add(tasks)
	start := cpuNow()
	for i := 0; i < tasks; i++ {
		go func() {
			for k := 0; k < rounds; k++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	figure("yield", float64(cpuNow()-start)/float64(rounds*tasks), "ns")
}

func measureSpawn(wave int) {
	rounds := 300000 / wave
	var start int64
	var all sync.WaitGroup
	for k := -rounds / 10; k < rounds; k++ {
		if k == 0 {
			start = cpuNow()
		}
		all.Add(wave)
		for i := 0; i < wave; i++ {
			go all.Done()
		}
		all.Wait()
	}
	figure("spawn", float64(cpuNow()-start)/float64(rounds*wave), "ns")
}

func measureCrowd(tasks int) {
	const yields, lives, leastRounds = 2000000, 300000, 3
	rounds := yields / tasks
	if rounds < leastRounds {
		rounds = leastRounds
	}
	var all sync.WaitGroup
	var waiting, started int
	var start int64
	gate := make(chan struct{}) // or those that run would hold up those that are still to be made
	all.Add(tasks)
	memory := memoryNow()
	for i := 0; i < tasks; i++ {
		go func() {
			waiting++
			<-gate
			if started++; started == tasks {
				start = cpuNow()
			}
			for started < tasks {
				runtime.Gosched()
			}
			for k := 0; k < rounds; k++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	for waiting < tasks {
		runtime.Gosched()
	}
	memory = memoryNow() - memory
	close(gate)
	all.Wait()
	figure("yield", float64(cpuNow()-start)/float64(rounds*tasks), "ns")
	figure("memory", float64(memory)/float64(tasks), "bytes")
	waves := lives/tasks + 1
	for k := -1; k < waves; k++ {
		if k == 0 {
			start = cpuNow()
		}
		all.Add(tasks)
		for i := 0; i < tasks; i++ {
			go all.Done()
		}
		all.Wait()
	}
	figure("spawn", float64(cpuNow()-start)/float64(waves*tasks), "ns")
}

func measureTimer() {
	const pending, operations, delays, together = 1000000, 640000, 4096, 64
	random := rand.New(rand.NewSource(1))
	delay := func() time.Duration {
		return 100*time.Second + time.Duration(random.Intn(1000000))*time.Millisecond
	}
	nothing := func() { panic("a timer fired") }
	keep := make([]*time.Timer, pending)
	for i := range keep {
		keep[i] = time.AfterFunc(delay(), nothing)
	}
	var table [delays]time.Duration
	for i := range table {
		table[i] = delay()
	}
	runtime.GC()
	// New timers, as a program makes them.
	var some [together]*time.Timer
	start := cpuNow()
	for i := 0; i < operations; i += together {
		for k := range some {
			some[k] = time.AfterFunc(table[(i+k)%delays], nothing)
		}
		for k := range some {
			some[k].Stop()
		}
	}
	figure("timer", float64(cpuNow()-start)/operations, "ns")
	// The same ones again and again, so that nothing is allocated.
	start = cpuNow()
	for i := 0; i < operations; i += together {
		for k := range some {
			some[k].Reset(table[(i+k)%delays])
		}
		for k := range some {
			some[k].Stop()
		}
	}
	figure("timer-reset", float64(cpuNow()-start)/operations, "ns")
	runtime.KeepAlive(keep)
}

func measureSleepers(tasks int) {
	random := rand.New(rand.NewSource(1))
	var all sync.WaitGroup
	all.Add(tasks)
	start := cpuNow()
	for i := 0; i < tasks; i++ {
		d := time.Duration(random.Int63n(int64(time.Second)))
		go func() {
			time.Sleep(d)
			all.Done()
		}()
	}
	all.Wait()
	figure("sleepers", float64(cpuNow()-start)/1e6, "ms")
}

func measureParked(tasks int) {
	never := make(chan struct{})
	before := memoryNow()
	for i := 0; i < tasks; i++ {
		go func() { <-never }()
		if i%1000 == 999 {
			runtime.Gosched()
		}
	}
	for runtime.NumGoroutine() < tasks+1 {
		runtime.Gosched()
	}
	runtime.Gosched()
	figure("parked", float64(memoryNow()-before)/float64(tasks), "bytes")
	runtime.KeepAlive(never)
}

func echo(conn net.Conn, buffer []byte) {
	defer conn.Close()
	for {
		n, err := conn.Read(buffer)
		if n > 0 {
			if _, err := conn.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func serveEcho(port string, shared []byte) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		if shared != nil {
			go echo(conn, shared)
		} else {
			go func() { echo(conn, make([]byte, 4096)) }()
		}
	}
}

func serveHTTP(port string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	hello := []byte("hello")
	panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write(hello)
	})))
}

func main() {
	work, argument := "", ""
	if len(os.Args) > 1 {
		work = os.Args[1]
	}
	if len(os.Args) > 2 {
		argument = os.Args[2]
	}
	count, _ := strconv.Atoi(argument)
	switch work {
	case "yield":
		measureYield(count)
	case "spawn":
		measureSpawn(1)
	case "wave":
		measureSpawn(1000)
	case "crowd":
		measureCrowd(count)
	case "timer":
		measureTimer()
	case "sleepers":
		measureSleepers(count)
	case "parked":
		measureParked(count)
	case "echo":
		serveEcho(argument, nil)
	case "idle":
		serveEcho(argument, make([]byte, 4096))
	case "http":
		serveHTTP(argument)
	default:
		io.WriteString(os.Stderr, "usage: see the head of go.go\n")
		os.Exit(2)
	}
}
