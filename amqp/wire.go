package amqp

import (
	"encoding/binary"
	"unicode/utf8"
)

const (
	// ShortStrMax is the length of the longest short string. Append functions cut a longer
	// one, at the last character that fits: a name that long was refused before it came
	// here, and for a reply text the cut is what RabbitMQ does.
	ShortStrMax = 255
	// LongStrMax is the length of the longest long string or table this package reads or
	// writes: one below what a signed length can say. Append functions cut a longer string.
	LongStrMax = 1<<31 - 1
)

// reader takes the arguments of a method apart. After the first mistake it is bad, and all
// that it returns is empty, so that callers check once, in finish.
type reader struct {
	b       []byte // all arguments
	pos     int
	anyText bool // short strings need not be UTF-8
	bad     bool
	broken  *Error // what is wrong with a table or a short string
}

// take returns the next n bytes, or nil when they are not there. A negative n is one that
// overflowed an int.
func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b)-r.pos {
		r.bad = true
		return nil
	}
	b := r.b[r.pos : r.pos+n : r.pos+n]
	r.pos += n
	return b
}

func (r *reader) octet() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) short() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) long() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) longlong() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) shortstr() string {
	b := r.take(int(r.octet()))
	if !r.anyText && !utf8.Valid(b) {
		r.bad, r.broken = true, NewError(FrameError, "Malformed UTF-8 in shortstr")
		return ""
	}
	return string(b)
}

func (r *reader) longstr() string { return string(r.longBytes()) }

// longBytes returns what a 32-bit length stands before.
func (r *reader) longBytes() []byte {
	n := r.long()
	if n > LongStrMax {
		r.bad = true
		return nil
	}
	return r.take(int(n))
}

// table returns a valid table that aliases the arguments.
func (r *reader) table() Table {
	t := Table(r.longBytes())
	if r.bad {
		return nil
	}
	if err := t.check(); err != nil {
		r.bad, r.broken = true, err
		return nil
	}
	return t
}

func (r *reader) skipShort() { r.take(2) }

func (r *reader) skipShortstr() { r.take(int(r.octet())) }

func (r *reader) skipLongstr() { r.longBytes() }

// finish reports what went wrong; arguments followed by anything else are wrong, too.
func (r *reader) finish(id MethodID) error {
	if r.broken != nil {
		if r.broken.Code != FrameError { // that is the frame's, not the method's
			r.broken.Method = id
		}
		return r.broken
	}
	if r.bad || r.pos != len(r.b) {
		return decodeError(id, r.b)
	}
	return nil
}

// bit returns the bit of this number when set.
func bit(set bool, number uint) byte {
	if set {
		return 1 << number
	}
	return 0
}

func appendShortstr(dst []byte, s string) []byte {
	if len(s) > ShortStrMax {
		s = cutText(s, ShortStrMax)
	}
	dst = append(dst, uint8(len(s)))
	return append(dst, s...)
}

func appendLongstr(dst []byte, s string) []byte {
	if len(s) > LongStrMax {
		s = s[:LongStrMax]
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

func appendTable(dst []byte, t Table) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(t)))
	return append(dst, t...)
}

// cutText returns at most n bytes of s, whole characters when s is UTF-8.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := n; i > n-utf8.UTFMax && i > 0; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n]
}
