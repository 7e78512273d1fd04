package message

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
)

var (
	transient = []byte{0, 0}
	mode2     = (&amqp.Properties{DeliveryMode: 2}).AppendTo(nil)
)

// parts is what a message is made of.
type parts struct{ exchange, key, properties, body []byte }

func (p parts) begin(t testing.TB, b *Builder, a *Arena) {
	t.Helper()
	if err := b.Begin(a, p.exchange, p.key, p.properties, uint64(len(p.body))); err != nil {
		t.Fatal(err)
	}
}

func (p parts) build(t testing.TB, a *Arena) Message {
	t.Helper()
	var b Builder
	p.begin(t, &b, a)
	b.Append(p.body)
	return b.Done()
}

// check compares a message with what it was made of.
func (p parts) check(t interface {
	Helper()
	Errorf(string, ...any)
}, m *Message) {
	t.Helper()
	for _, c := range []struct {
		what      string
		got, want []byte
	}{
		{"exchange", m.Exchange(), p.exchange}, {"key", m.RoutingKey(), p.key},
		{"properties", m.Properties(), p.properties}, {"body", m.Body(), p.body},
		{"bytes", m.Bytes(), slices.Concat(p.exchange, p.key, p.properties, p.body)},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: got %d bytes %.40q, want %d bytes %.40q",
				c.what, len(c.got), c.got, len(c.want), c.want)
		}
	}
	if got, want := m.Size(), len(m.Bytes()); got != want {
		t.Errorf("size %d, want %d", got, want)
	}
}

func letters(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + i%23)
	}
	return b
}

func TestMessageIsWhatItWasBuiltOf(t *testing.T) {
	longest := letters(NameMax)
	for name, p := range map[string]parts{
		"nothing at all": {},
		"only a body":    {body: letters(16)},
		"usual":          {letters(3), letters(5), mode2, letters(16)},
		"no body":        {letters(3), letters(5), transient, nil},
		"longest names":  {longest, longest, transient, letters(16)},
		"large headers":  {nil, letters(5), letters(200_000), letters(16)},
		"large body":     {letters(3), letters(5), transient, letters(3 << 20)},
		"shared at most": {nil, nil, nil, letters(SharedMax)},
		"just too large": {nil, nil, nil, letters(SharedMax + 1)},
	} {
		t.Run(name, func(t *testing.T) {
			var a Arena
			m := p.build(t, &a)
			p.check(t, &m)
			if m.ID != 0 {
				t.Errorf("it has log identity %d", m.ID)
			}
		})
	}
}

func TestZeroMessageCarriesNothing(t *testing.T) {
	var m Message
	parts{}.check(t, &m)
	if m.Persistent() {
		t.Error("it is persistent")
	}
}

func TestPersistentIsDeliveryModeTwo(t *testing.T) {
	var a Arena
	for mode, want := range map[uint8]bool{0: false, 1: false, 2: true, 3: false} {
		properties := (&amqp.Properties{DeliveryMode: mode}).AppendTo(nil)
		m := parts{properties: properties}.build(t, &a)
		if got := m.Persistent(); got != want {
			t.Errorf("delivery mode %d: persistent %v, want %v", mode, got, want)
		}
	}
}

func TestBodyMayComeInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Arena
		var b Builder
		size := rapid.SampledFrom([]int{0, 1, 100, SharedMax, growthStart, 5 * growthStart})
		p := parts{letters(3), letters(5), transient, letters(size.Draw(t, "size"))}
		if err := b.Begin(&a, p.exchange, p.key, p.properties, uint64(len(p.body))); err != nil {
			t.Fatal(err)
		}
		for rest := p.body; len(rest) > 0; {
			if got := b.Missing(); got != len(rest) {
				t.Fatalf("%d bytes missing, want %d", got, len(rest))
			}
			n := rapid.IntRange(0, len(rest)).Draw(t, "piece")
			if rapid.IntRange(0, 4).Draw(t, "last") == 0 {
				n = len(rest)
			}
			b.Append(rest[:n])
			rest = rest[n:]
		}
		if got := b.Missing(); got != 0 {
			t.Fatalf("%d bytes missing in the end", got)
		}
		m := b.Done()
		p.check(t, &m)
	})
}

func TestLargeBodyClaimsMemoryAsItArrives(t *testing.T) {
	const size, piece = 10 << 20, 128 << 10
	var a Arena
	var b Builder
	p := parts{properties: transient, body: letters(size)}
	p.begin(t, &b, &a)
	if got := cap(b.building) - len(b.building); got > growthStart {
		t.Fatalf("%d bytes claimed before the body came", got)
	}
	for rest := p.body; len(rest) > 0; rest = rest[piece:] {
		b.Append(rest[:piece])
		if got, most := cap(b.building), growthFactor*len(b.building); got > most {
			t.Fatalf("%d bytes claimed for %d", got, len(b.building))
		}
	}
	m := b.Done()
	p.check(t, &m)
	if got := cap(m.Bytes()); got != m.Size() {
		t.Errorf("the message occupies %d bytes for %d", got, m.Size())
	}
}

func TestBeginRefusesWhatIsTooLong(t *testing.T) {
	tooLong := letters(NameMax + 1)
	for name, c := range map[string]struct {
		p    parts
		body uint64
		ok   bool
	}{
		"exchange":        {p: parts{exchange: tooLong}},
		"key":             {p: parts{key: tooLong}},
		"body":            {body: SizeMax + 1},
		"far beyond":      {body: 1<<64 - 1},
		"as a whole":      {p: parts{exchange: letters(1)}, body: SizeMax},
		"largest body":    {body: SizeMax, ok: true},
		"largest message": {p: parts{exchange: letters(1)}, body: SizeMax - 1, ok: true},
	} {
		t.Run(name, func(t *testing.T) {
			var a Arena
			var b Builder
			err := b.Begin(&a, c.p.exchange, c.p.key, c.p.properties, c.body)
			if (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "message: begin: ") {
				t.Errorf("the error does not say what was attempted: %v", err)
			}
			if got := cap(b.building) - len(b.building); got > growthStart {
				t.Errorf("%d bytes claimed", got)
			}
		})
	}
}

func TestBuilderGoesOnAfterARefusal(t *testing.T) {
	var a Arena
	var b Builder
	if err := b.Begin(&a, letters(NameMax+1), nil, nil, 0); err == nil {
		t.Fatal("no error")
	}
	p := parts{letters(3), letters(5), transient, letters(16)}
	for range 2 {
		p.begin(t, &b, &a)
		b.Append(p.body)
		m := b.Done()
		p.check(t, &m)
	}
}

func TestFirstChunkIsSmall(t *testing.T) {
	var a Arena
	a.reserve(16)
	if got := cap(a.rest); got >= chunkStart {
		t.Errorf("%d bytes for the first message", got)
	}
	for range 10_000 {
		a.reserve(16)
		if got := cap(a.rest); got > chunkSize {
			t.Fatalf("a chunk of more than %d bytes", got)
		}
	}
	if a.size != chunkSize {
		t.Errorf("chunks of %d bytes in the end, want %d", a.size, chunkSize)
	}
}

func TestBodyOfTheFirstClaimIsNotMoved(t *testing.T) {
	var a Arena
	var b Builder
	p := parts{letters(3), letters(5), mode2, letters(growthStart)}
	p.begin(t, &b, &a)
	claimed := cap(b.building)
	b.Append(p.body)
	if got := cap(b.building); got != claimed {
		t.Errorf("grew from %d to %d bytes", claimed, got)
	}
}

func TestMessageMayExpireWhenItHasAnExpiration(t *testing.T) {
	var a Arena
	for properties, want := range map[string]bool{
		"": false, "\x00\x00": false, "\x10\x00\x02": false, "\x01\x00\x0260": true,
		"\x11\x00\x02\x00": true, "\x00\x80\x01m": false,
	} {
		m := parts{letters(3), letters(5), []byte(properties), letters(16)}.build(t, &a)
		if m.MayExpire() != want {
			t.Errorf("%q: %v", properties, m.MayExpire())
		}
	}
}
