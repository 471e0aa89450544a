// Judges a history of one SKU (docs/history.md) from the standard input with Porcupine, the general
// linearizability checker, to compare with our special one on the same file:
//
//	build/release/tests/bench/linearizable/generate_history 10000 > history.jsonl
//	build/release/simulator/cli/rushproof check history.jsonl --checks linearizable
//	cd tests/bench/linearizable/porcupine && go run . < history.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"
)

type line struct {
	Stock   map[string]int64
	Time    int64
	Process json.RawMessage
	Type    string
	F       string
	Error   string
	Value   struct {
		Quantity    int64
		Available   int64
		Reservation string
	}
}

type input struct {
	function string
	quantity int64
	unknown  bool
}

type output struct {
	refused   bool
	available int64
}

// The state is what is available.  An operation of unknown outcome may have no effect when it comes
// last, so it needs no branch: then nothing sees its effect.
func step(state, in, out interface{}) (bool, interface{}) {
	available, asked, answer := state.(int64), in.(input), out.(output)
	switch asked.function {
	case "reserve":
		fits := available >= asked.quantity
		if answer.refused || (asked.unknown && !fits) {
			return !fits, available
		}
		return fits, available - asked.quantity
	case "release", "restock":
		return true, available + asked.quantity
	default:
		return available == answer.available, available
	}
}

// One SKU; quantities of releases are those of their reservations.
func read() (int64, []porcupine.Operation) {
	var stock int64
	var operations []porcupine.Operation
	underWay := map[string]int{}
	quantities := map[string]int64{}
	clients := map[string]int{}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var at line
		if err := json.Unmarshal(lines.Bytes(), &at); err != nil {
			log.Fatal(err)
		}
		process := string(at.Process)
		for _, quantity := range at.Stock {
			stock = quantity
		}
		switch at.Type {
		case "invoke":
			if at.F == "reserve" {
				quantities[at.Value.Reservation] = at.Value.Quantity
			}
			if at.F == "release" {
				at.Value.Quantity = quantities[at.Value.Reservation]
			}
			if _, known := clients[process]; !known {
				clients[process] = len(clients)
			}
			underWay[process] = len(operations)
			operations = append(operations, porcupine.Operation{
				ClientId: clients[process],
				Input:    input{at.F, at.Value.Quantity, true},
				Output:   output{},
				Call:     at.Time,
				Return:   math.MaxInt64,
			})
		case "ok", "fail":
			operation := &operations[underWay[process]]
			asked := operation.Input.(input)
			asked.unknown = false
			operation.Input = asked
			operation.Output = output{at.Error == "insufficient", at.Value.Available}
			operation.Return = at.Time
		}
	}
	return stock, operations
}

func main() {
	timeout := flag.Duration("timeout", time.Minute, "give up after this time")
	flag.Parse()
	stock, operations := read()
	model := porcupine.Model{
		Init: func() interface{} { return stock },
		Step: step,
		Hash: func(state interface{}) uint64 { return uint64(state.(int64)) },
	}
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	begin := time.Now()
	verdict := porcupine.CheckOperationsTimeout(model, operations, *timeout)
	elapsed := time.Since(begin)
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	fmt.Printf("%d operations: %s in %v (CPU %v), peak memory %d MB\n",
		len(operations), verdict, elapsed.Round(time.Millisecond), cpu.Round(time.Millisecond), after.Maxrss/1024)
}
