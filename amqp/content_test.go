package amqp

import (
	"bytes"
	"fmt"
	"math"
	"testing"
)

func TestContentIsSplitAtFrameMax(t *testing.T) {
	const most = FrameMinSize - FrameOverhead
	for _, c := range []struct {
		size     int
		frameMax uint32
		frames   int
	}{
		{0, 0, 0}, {0, FrameMinSize, 0}, {1, FrameMinSize, 1},
		{most - 1, FrameMinSize, 1}, {most, FrameMinSize, 1}, {most + 1, FrameMinSize, 2},
		{2 * most, FrameMinSize, 2}, {2*most + 1, FrameMinSize, 3},
		{300000, 131072, 3}, {300000, 0, 1}, {300000, math.MaxUint32, 1},
		// Below what the specification allows counts as what it allows.
		{2 * most, 1, 2}, {2 * most, FrameOverhead, 2}, {2 * most, FrameMinSize - 1, 2},
	} {
		body := make([]byte, c.size)
		for i := range body {
			body[i] = byte(i * 7 / 3)
		}
		props := RawProperties{flagPriority >> 8, 0, 9}
		for _, dst := range [][]byte{nil, make([]byte, 0, 400000)} {
			checkContent(t, AppendContent(dst, 5, props, body, c.frameMax), props, body, c.frameMax,
				c.frames)
		}
	}
}

func checkContent(t *testing.T, b []byte, props RawProperties, body []byte, frameMax uint32,
	frames int,
) {
	t.Helper()
	name := fmt.Sprintf("%d octets in frames of %d", len(body), frameMax)
	if frameMax != 0 {
		frameMax = max(frameMax, FrameMinSize)
	}
	f, n, err := ParseFrame(b, frameMax)
	if err != nil || f.Type != FrameHeader || f.Channel != 5 {
		t.Fatalf("%s: header frame %+v, %v", name, f, err)
	}
	h, err := ParseContentHeader(f.Payload)
	if err != nil || h.ClassID != ClassBasic || h.BodySize != uint64(len(body)) ||
		!bytes.Equal(h.Properties, props) {
		t.Fatalf("%s: header %+v, %v", name, h, err)
	}
	var got []byte
	count := 0
	for b = b[n:]; len(b) > 0; b = b[n:] {
		f, n, err = ParseFrame(b, frameMax)
		if err != nil || n == 0 || f.Type != FrameBody || f.Channel != 5 || len(f.Payload) == 0 {
			t.Fatalf("%s: body frame %+v, %v", name, f, err)
		}
		got = append(got, f.Payload...)
		count++
	}
	if !bytes.Equal(got, body) || count != frames {
		t.Errorf("%s: %d octets in %d frames, want %d frames", name, len(got), count, frames)
	}
}

func TestContentWithoutPropertiesHasEmptyFlags(t *testing.T) {
	want := AppendContent(nil, 1, RawProperties{0, 0}, []byte("x"), 0)
	for _, props := range []RawProperties{nil, {}, {0}} {
		equalBytes(t, "content", AppendContent(nil, 1, props, []byte("x"), 0), want)
	}
	equalBytes(t, "content", want,
		unhex(t, "02 0001 0000000e 003c 0000 0000000000000001 0000 ce 03 0001 00000001 78 ce"))
}

func TestContentHeaderErrors(t *testing.T) {
	const size = "0000000000000001"
	for _, c := range []struct{ name, in, want string }{
		{"no properties", "003c 0000" + size + "0000", ""},
		{"nothing", "", "FRAME_ERROR - type 2, all octets = <<>>: unknown_frame (501)"},
		{"short", "003c0000",
			"FRAME_ERROR - type 2, all octets = <<0,60,0,0>>: unknown_frame (501)"},
		{"no flags", "003c 0000" + size,
			"SYNTAX_ERROR - property flags are missing (502)"},
		{"half the flags", "003c 0000" + size + "00",
			"SYNTAX_ERROR - property flags are missing (502)"},
		{"other class", "0032 0000" + size + "0000", "UNEXPECTED_FRAME - expected content " +
			"header for class 60, got one for class 50 instead (505)"},
		{"weight", "003c 0007" + size + "0000", "UNEXPECTED_FRAME - expected content " +
			"header for class 60, got non content header frame instead (505)"},
		{"size of 2^63", "003c 0000 8000000000000000 0000", ""},
		{"greatest size", "003c 0000 ffffffffffffffff 0000", ""},
	} {
		h, err := ParseContentHeader(unhex(t, c.in))
		switch {
		case c.want != "":
			wantText(t, c.name, err, c.want)
		case err != nil || h.BodySize == 0:
			t.Errorf("%s: %+v, %v", c.name, h, err)
		}
	}
	h, _ := ParseContentHeader(unhex(t, "003c 0000 ffffffffffffffff 0000"))
	if h.BodySize != math.MaxUint64 {
		t.Errorf("body size %d", h.BodySize)
	}
}

func TestContentHeaderAliasesItsPayload(t *testing.T) {
	payload := unhex(t, "003c 0000 0000000000000001 1000 02")
	h, err := ParseContentHeader(payload)
	if err != nil || &h.Properties[0] != &payload[12] {
		t.Errorf("%v, %v", h, err)
	}
}
