package main

import (
	"fmt"
	"slices"
)

// The columns of the table.
const (
	warrenName = "warren"
	rabbitName = "RabbitMQ"
	relayName  = "relay"
)

// figure is one line of the table.
type figure struct {
	name    string
	unit    string
	digits  int
	broker  bool // needs the broker's processes to be measured
	target  target
	against string // whose value the ratio is formed with; "": RabbitMQ
}

// target is what a figure is to reach; the zero value is none.
type target struct {
	most       float64 // of warren's value
	ratioLeast float64 // of warren's value to the other's
	ratioMost  float64
}

// figureID names a figure, in the order of the table.
type figureID int

const (
	figureRate16 figureID = iota
	figureRate1K
	figureCPU16
	figureCPU1K
	figureRateConfirmed
	figureCPUConfirmed
	figureIdle
	figureFirst
	figureConnection
	figureMedian
	figureP99
	figureClient16
	figureClient1K
)

// figures holds the targets that the project has set itself.
var figures = [...]figure{
	figureRate16: {
		name: "rate, 16 B transient, auto-ack, 1 producer, 1 consumer", unit: "k msg/s",
		digits: 1, target: target{ratioLeast: 8},
	},
	figureRate1K: {
		name: "rate, 1 KiB, the same", unit: "k msg/s", digits: 1,
		target: target{ratioLeast: 8},
	},
	figureCPU16: {
		name: "broker CPU per message, 16 B", unit: "µs", digits: 2, broker: true,
		target: target{most: 1.2},
	},
	figureCPU1K: {
		name: "broker CPU per message, 1 KiB", unit: "µs", digits: 2, broker: true,
	},
	figureRateConfirmed: {
		name: "rate, 1 KiB persistent, 1,000 unconfirmed, acks", unit: "k msg/s", digits: 1,
	},
	figureCPUConfirmed: {
		name: "broker CPU per message, the same", unit: "µs", digits: 2, broker: true,
	},
	figureIdle: {
		name: "idle resident memory", unit: "MB", digits: 1, target: target{most: 15},
	},
	figureFirst: {
		name: "exec to first connection answered", unit: "ms", digits: 1,
		target: target{most: 100},
	},
	figureConnection: {
		name: "resident memory per idle connection", unit: "KiB", digits: 1,
		target: target{most: 12},
	},
	figureMedian: {
		name: "median latency at 1,000 msg/s", unit: "µs", digits: 1,
		target: target{ratioMost: 1.5}, against: relayName,
	},
	figureP99: {
		name: "99th percentile, the same", unit: "µs", digits: 1, against: relayName,
	},
	figureClient16: {
		name: "client CPU per message, 16 B", unit: "ns", digits: 0,
	},
	figureClient1K: {
		name: "client CPU per message, 1 KiB", unit: "ns", digits: 0,
	},
}

// spread is the median of some values, and the least and the greatest.
type spread struct{ median, least, greatest float64 }

// spreadOf needs at least one value.
func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1]}
}

func (s spread) text(digits int) string {
	return fmt.Sprintf("**%.*f** (%.*f..%.*f)",
		digits, s.median, digits, s.least, digits, s.greatest)
}

// ratio is text with three significant digits.
func (s spread) ratio() string {
	return fmt.Sprintf("**%.3g** (%.3g..%.3g)", s.median, s.least, s.greatest)
}

// text says what the target is.
func (t target) text(unit, against string) string {
	switch {
	case t.most > 0:
		return fmt.Sprintf("at most %g %s", t.most, unit)
	case t.ratioLeast > 0:
		return fmt.Sprintf("at least %g × %s", t.ratioLeast, against)
	case t.ratioMost > 0:
		return fmt.Sprintf("at most %g × %s", t.ratioMost, against)
	}
	return ""
}

// reached reports whether the medians reach the target; known is false if there is no target,
// or nothing to compare with.
func (t target) reached(own spread, ratio *spread) (reached, known bool) {
	switch {
	case t.most > 0:
		return own.median <= t.most, true
	case ratio == nil:
		return false, false
	case t.ratioLeast > 0:
		return ratio.median >= t.ratioLeast, true
	case t.ratioMost > 0:
		return ratio.median <= t.ratioMost, true
	}
	return false, false
}
