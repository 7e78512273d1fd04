package main

import (
	"fmt"
	"slices"
)

// metric is a column of a case's table.
type metric string

const (
	metricRate     metric = "msg/s"
	metricFill     metric = "fill, msg/s"
	metricDrain    metric = "drain, msg/s"
	metricPairs    metric = "pairs/s"
	metricCPU      metric = "broker CPU, µs/msg"
	metricPairCPU  metric = "broker CPU, µs/pair"
	metricClient   metric = "client CPU, µs/msg"
	metricPairOwn  metric = "client CPU, µs/pair"
	metricP50      metric = "p50, µs"
	metricP99      metric = "p99, µs"
	metricConfirm  metric = "confirm p50, µs"
	metricDisk     metric = "write + fdatasync p50, µs"
	metricLoopback metric = "round trip p50, µs"
	metricFirst    metric = "exec to first answer, ms"
	metricStart    metric = "restart, s"
	metricDeclare  metric = "declare, s"
	metricPerQueue metric = "KiB/queue"
	metricPerConn  metric = "KiB/connection"
	metricIdle     metric = "resident, idle, MB"
	metricResident metric = "resident, peak, MB"
	metricWritten  metric = "written, B/msg"
	metricSyncs    metric = "syncs/msg"
	metricCount    metric = "messages"
	metricQueues   metric = "queues"
)

// columns are all metrics in the order of a table.
func columns() []metric {
	return []metric{
		metricRate, metricFill, metricDrain, metricPairs, metricCPU, metricPairCPU, metricConfirm,
		metricP50, metricP99, metricDisk, metricLoopback, metricFirst, metricStart, metricDeclare,
		metricPerQueue, metricPerConn, metricIdle, metricResident, metricWritten, metricSyncs,
		metricCount, metricQueues, metricClient, metricPairOwn,
	}
}

// goal is what warren is to reach in one metric. The zero value of against is a plain number.
type goal struct {
	metric  metric
	most    float64 // of the value, or of its ratio to against's
	least   float64
	against string
}

// text says what the goal is.
func (g goal) text() string {
	bound, limit := "at most", g.most
	if g.least > 0 {
		bound, limit = "at least", g.least
	}
	if g.against == "" {
		return fmt.Sprintf("%s: %s %.10g", g.metric, bound, limit)
	}
	return fmt.Sprintf("%s: %s %g × %s", g.metric, bound, limit, g.against)
}

// verdict compares what was measured with the goal.
func (g goal) verdict(measured spread) string {
	value := measured.median
	switch {
	case g.most > 0 && value <= g.most || g.least > 0 && value >= g.least:
		return fmt.Sprintf("**reached**: %s", measured.significant())
	case g.most > 0:
		return fmt.Sprintf("**missed**: %s, %.3g times what it may be",
			measured.significant(), value/g.most)
	}
	return fmt.Sprintf("**missed**: %s, %.3g of what it should be",
		measured.significant(), value/g.least)
}

// spread is the median of some values, and the least and the greatest.
type spread struct {
	median, least, greatest float64
}

// spreadOf needs at least one value.
func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1]}
}

// significant is the text of a spread, with three significant digits or all before the point.
func (s spread) significant() string {
	if s.least == s.greatest {
		return number(s.median)
	}
	return fmt.Sprintf("%s (%s..%s)", number(s.median), number(s.least), number(s.greatest))
}

// number writes three significant digits, in groups of thousands where it is large.
func number(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.4gk", v/1e3)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
