package message

import (
	"bytes"
	"strings"
	"testing"
)

// encode returns the durable form.
func encode(m *Message) []byte {
	return encodeAt(m, 0)
}

func encodeAt(m *Message, at int64) []byte {
	return append(m.AppendHead(nil, at), m.Bytes()...)
}

func TestDurableFormNeverChanges(t *testing.T) {
	var a Arena
	m := parts{[]byte("ex"), []byte("key"), mode2, []byte("hello")}.build(t, &a)
	want := "\x01\x02\x03\x00\x00\x00\x03" + "ex" + "key" + "\x10\x00\x02" + "hello"
	if got := encode(&m); string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	want = "\x02\x02\x03\x00\x00\x00\x03" + "\x00\x00\x01\x9a\x00\x00\x00\x07" +
		"ex" + "key" + "\x10\x00\x02" + "hello"
	if got := encodeAt(&m, 0x19a_0000_0007); string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDecodedMessageIsTheEncodedOne(t *testing.T) {
	var a Arena
	for _, p := range []parts{
		{},
		{letters(3), letters(5), mode2, letters(16)},
		{letters(NameMax), letters(NameMax), letters(70_000), letters(1 << 20)},
		{body: letters(1)},
		{properties: transient},
	} {
		m := p.build(t, &a)
		for _, at := range []int64{0, 1, 1_800_000_000_000} {
			got, came, err := Decode(encodeAt(&m, at), 42)
			if err != nil {
				t.Fatal(err)
			}
			p.check(t, &got)
			if got.ID != 42 || came != at {
				t.Errorf("log identity %d, want 42; came at %d, want %d", got.ID, came, at)
			}
		}
	}
}

func TestDecodeRefusesWhatIsNoMessage(t *testing.T) {
	for _, c := range []struct{ bytes, says string }{
		{"", "0 bytes are no message"},
		{"\x01\x00\x00\x00\x00\x00", "6 bytes are no message"},
		{"\x00\x00\x00\x00\x00\x00\x00", "unknown form 0"},
		{"\x03\x00\x00\x00\x00\x00\x00", "unknown form 3"},
		{"\x02\x00\x00\x00\x00\x00\x00\x01", "8 bytes are no message"},
		{"\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "came at 0"},
		{"\x02\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", "came at -1"},
		{"\x01\x01\x00\x00\x00\x00\x00", "0 bytes where the head says at least 1"},
		{"\x01\x01\x01\x00\x00\x00\x01ab", "2 bytes where the head says at least 3"},
		{"\x01\xff\xff\xff\xff\xff\xffab", "2 bytes where the head says at least 4294967805"},
	} {
		m, _, err := Decode([]byte(c.bytes), 1)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: got %v, want an error that says %q", c.bytes, err, c.says)
		}
		if m.Size() != 0 || m.ID != 0 {
			t.Errorf("%q: a message came with the error", c.bytes)
		}
	}
}

// Whatever is read back is no message, or one that gives the same bytes again and whose
// accessors stay within it.
func FuzzDecode(f *testing.F) {
	var a Arena
	for _, p := range []parts{
		{},
		{letters(3), letters(5), mode2, letters(16)},
		{letters(NameMax), nil, transient, nil},
	} {
		m := p.build(f, &a)
		f.Add(encode(&m))
		f.Add(encodeAt(&m, 1_800_000_000_000))
	}
	f.Add([]byte("\x01\xff\xff\xff\xff\xff\xffab"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, at, err := Decode(b, 1)
		if err != nil {
			return
		}
		if got := encodeAt(&m, at); !bytes.Equal(got, b) {
			t.Errorf("decoded and encoded: %q", got)
		}
		parts{m.Exchange(), m.RoutingKey(), m.Properties(), m.Body()}.check(t, &m)
		mode := m.Properties().DeliveryMode()
		if m.Persistent() != (mode == 2) {
			t.Errorf("delivery mode %d, persistent %v", mode, m.Persistent())
		}
	})
}
