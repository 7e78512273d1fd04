package metrics

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what Prometheus calls the type of a metric.
type kind string

const (
	gauge     kind = "gauge"
	counter   kind = "counter"
	histogram kind = "histogram"
)

// label is a name and a value that tell one series of a metric from another.
type label struct{ name, value string }

// page is an answer in Prometheus's text format, version 0.0.4, as it is written.
type page struct {
	out    *bufio.Writer
	prefix string // before all names
	line   []byte
}

func newPage(w io.Writer, prefix string) *page {
	return &page{out: bufio.NewWriterSize(w, 64<<10), prefix: prefix}
}

// family begins a metric. Its samples follow.
func (p *page) family(name string, k kind, help string) {
	b := append(append(append(p.line[:0], "# HELP "...), p.prefix...), name...)
	b = append(append(append(b, ' '), help...), "\n# TYPE "...)
	b = append(append(append(b, p.prefix...), name...), ' ')
	p.write(append(append(b, k...), '\n'))
}

// sample writes one series of a metric; the suffix is that of a histogram's parts.
func (p *page) sample(name, suffix string, value float64, labels ...label) {
	b := append(append(append(p.line[:0], p.prefix...), name...), suffix...)
	for i := range labels {
		if b = append(b, ','); i == 0 {
			b[len(b)-1] = '{'
		}
		b = append(append(b, labels[i].name...), '=', '"')
		b = append(appendEscaped(b, labels[i].value), '"')
	}
	if len(labels) > 0 {
		b = append(b, '}')
	}
	b = strconv.AppendFloat(append(b, ' '), value, 'g', -1, 64)
	p.write(append(b, '\n'))
}

// one is a metric of one series.
func (p *page) one(name string, k kind, help string, value float64, labels ...label) {
	p.family(name, k, help)
	p.sample(name, "", value, labels...)
}

func (p *page) write(b []byte) {
	p.line = b
	_, _ = p.out.Write(b) // who has gone is not told
}

func (p *page) end() { _ = p.out.Flush() }

// appendEscaped appends the value of a label. What is no UTF-8 is replaced.
func appendEscaped(b []byte, value string) []byte {
	for _, c := range strings.ToValidUTF8(value, "\uFFFD") {
		switch c {
		case '\\':
			b = append(b, '\\', '\\')
		case '"':
			b = append(b, '\\', '"')
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}
