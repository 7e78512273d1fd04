package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// barWidth is the length of a progress bar, in characters; barPause is how often it is drawn.
const (
	barWidth = 30
	barPause = 100 * time.Millisecond
)

// bar shows on a terminal how far long work is; elsewhere it shows nothing.
type bar struct {
	w       io.Writer
	visible bool

	mu    sync.Mutex
	start time.Time
	drawn time.Time
	step  string
}

func newBar(w io.Writer) *bar {
	return &bar{w: w, visible: isTerminal(w), start: time.Now()}
}

// set draws the bar, not more often than an eye follows.
func (b *bar) set(step string, done, total uint64) {
	if !b.visible {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if step == b.step && done < total && time.Since(b.drawn) < barPause {
		return
	}
	if step != b.step {
		b.start = time.Now()
	}
	b.drawn, b.step = time.Now(), step
	line := step
	if total > 0 {
		full := int(barWidth * min(done, total) / total)
		line = fmt.Sprintf("%s [%s%s] %d of %d%s", step, strings.Repeat("#", full),
			strings.Repeat(" ", barWidth-full), done, total, b.rest(done, total))
	}
	fmt.Fprintf(b.w, "\r\x1b[K%s", line)
}

// rest estimates how long it takes still.
func (b *bar) rest(done, total uint64) string {
	passed := time.Since(b.start)
	if done == 0 || done >= total || passed < time.Second {
		return ""
	}
	left := time.Duration(float64(passed) / float64(done) * float64(total-done))
	return fmt.Sprintf(", %s left", left.Round(time.Second))
}

// end leaves a clean line.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.visible && b.step != "" {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
