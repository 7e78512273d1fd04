package perf

import (
	"encoding/binary"
	"time"
)

// Sizes of the parts of a stamp: see the package comment. They never change.
const (
	sequenceSize = 4  // sequence alone
	originSize   = 8  // run, producer, sequence
	stampSize    = 16 // run, producer, sequence, time
)

// stamp is what a body says about itself.
type stamp struct {
	run      uint16
	producer uint16
	sequence uint32
	sent     int64 // nanoseconds since 1970; 0 when the body is too small to say
}

// putStamp writes as much of a stamp as fits into body.
func putStamp(body []byte, s stamp) {
	switch {
	case len(body) >= originSize:
		binary.BigEndian.PutUint16(body, s.run)
		binary.BigEndian.PutUint16(body[2:], s.producer)
		binary.BigEndian.PutUint32(body[4:], s.sequence)
		if len(body) >= stampSize {
			binary.BigEndian.PutUint64(body[8:], uint64(s.sent))
		}
	case len(body) >= sequenceSize:
		binary.BigEndian.PutUint32(body, s.sequence)
	}
}

// parseStamp reads what putStamp wrote. What did not fit is taken from home: a body too small
// to name its run and its producer can only be checked in a run with one producer.
func parseStamp(body []byte, home stamp) stamp {
	s := home
	switch {
	case len(body) >= originSize:
		s.run = binary.BigEndian.Uint16(body)
		s.producer = binary.BigEndian.Uint16(body[2:])
		s.sequence = binary.BigEndian.Uint32(body[4:])
		if len(body) >= stampSize {
			s.sent = int64(binary.BigEndian.Uint64(body[8:]))
		}
	case len(body) >= sequenceSize:
		s.sequence = binary.BigEndian.Uint32(body)
	}
	return s
}

// clock tells the time in nanoseconds since 1970. It takes the wall clock once and then only
// follows the monotonic one, so a step of the wall clock does not show as latency.
type clock struct {
	start time.Time
	base  int64
}

func newClock() clock {
	start := time.Now()
	return clock{start: start, base: start.UnixNano()}
}

func (c clock) now() int64 { return c.base + int64(time.Since(c.start)) }
