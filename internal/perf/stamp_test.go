package perf

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestStampKeepsWhatFitsIntoTheBody(t *testing.T) {
	full := stamp{
		run: 0x1234, producer: 0x5678, sequence: 0x9abcdef0, sent: 1_700_000_000_000_000_000,
	}
	home := stamp{run: 1, producer: 2}
	for size, want := range map[int]stamp{
		0:  home,
		3:  home,
		4:  {run: 1, producer: 2, sequence: full.sequence},
		7:  {run: 1, producer: 2, sequence: full.sequence},
		8:  {run: full.run, producer: full.producer, sequence: full.sequence},
		15: {run: full.run, producer: full.producer, sequence: full.sequence},
		16: full,
		99: full,
	} {
		body := make([]byte, size)
		putStamp(body, full)
		if got := parseStamp(body, home); got != want {
			t.Errorf("size %d: %+v, want %+v", size, got, want)
		}
	}
}

func TestClockFollowsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		before := c.now()
		<-time.After(time.Second)
		if got := c.now() - before; got != int64(time.Second) {
			t.Errorf("%d ns passed, want one second", got)
		}
		if got := c.now(); got != time.Now().UnixNano() {
			t.Errorf("now is %d, want %d", got, time.Now().UnixNano())
		}
	})
}
