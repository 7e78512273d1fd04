package management

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"slices"
)

// window is a stretch of the past that a client wants to see samples of, in even steps.
type window struct {
	incr  int64   // ms
	times []int64 // ms since 1970, the oldest first
}

// windows are those of a request: of the kinds of statistics that RabbitMQ has. nil: no samples.
type windows struct{ lengths, messages, data, node *window }

// samplesMax is how many steps a window may have, RabbitMQ's.
const samplesMax = 500

func (q *request) windows(now time.Time) (s windows, err error) {
	for _, w := range []struct {
		prefix string
		to     **window
	}{
		{"lengths", &s.lengths}, {"msg_rates", &s.messages}, {"data_rates", &s.data},
		{"node_stats", &s.node},
	} {
		if *w.to, err = q.window(w.prefix, now); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (q *request) window(prefix string, now time.Time) (*window, error) {
	age, noAge := strconv.ParseInt(q.query.Get(prefix+"_age"), 10, 64)
	incr, noIncr := strconv.ParseInt(q.query.Get(prefix+"_incr"), 10, 64)
	if noAge != nil || noIncr != nil {
		return nil, nil
	}
	const secondsMax = 1 << 40
	if age <= 0 || incr <= 0 || age/incr > samplesMax || age > secondsMax || incr > secondsMax {
		return nil, &failure{
			status: http.StatusBadRequest, kind: "invalid_range_parameters",
			reason: fmt.Sprintf("Invalid range parameters: age %d, incr %d", age, incr),
		}
	}
	w := &window{incr: incr * 1000}
	end := now.UnixMilli() / w.incr * w.incr
	for t := end; t >= end-age*1000; t -= w.incr {
		w.times = append(w.times, t)
	}
	slices.Reverse(w.times)
	return w, nil
}

// ticks are the samples that were the last ones at the times of the window.
func (w *window) ticks(interval time.Duration) []int64 {
	ticks := make([]int64, len(w.times))
	for i, t := range w.times {
		ticks[i] = t * int64(time.Millisecond) / int64(interval)
	}
	return ticks
}

// details writes "<name>_details": the rate, and with a window the samples of one number.
func (w *writer) details(name string, rate float64, from *window, samples []int64) {
	if !w.begin(name + "_details") {
		return
	}
	defer w.end()
	w.real("rate", rate)
	if from == nil {
		return
	}
	w.list("samples", func(one func(write func())) {
		for i, t := range slices.Backward(from.times) {
			one(func() {
				w.int("sample", samples[i])
				w.int("timestamp", t)
			})
		}
	})
	n := len(samples)
	if n > 1 {
		w.real("avg_rate", float64(samples[n-1]-samples[0])*1000/float64(from.incr)/float64(n-1))
	} else {
		w.real("avg_rate", 0)
	}
	sum := 0.0
	for _, s := range samples {
		sum += float64(s)
	}
	w.real("avg", sum/float64(n))
}
