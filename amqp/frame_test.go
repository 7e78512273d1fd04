package amqp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

func TestFrameIsReadOnlyWhenItIsWhole(t *testing.T) {
	b := append(unhex(t, "03 0102 00000003 616263 ce"), "next"...)
	for n := range 11 {
		if _, used, err := ParseFrame(b[:n], 4096); used != 0 || err != nil {
			t.Errorf("%d octets: used %d, %v", n, used, err)
		}
	}
	f, n, err := ParseFrame(b, 4096)
	if err != nil || n != 11 || f.Type != FrameBody || f.Channel != 0x0102 ||
		string(f.Payload) != "abc" || cap(f.Payload) != 3 {
		t.Errorf("%+v, %d octets, %v", f, n, err)
	}
	if &f.Payload[0] != &b[7] {
		t.Error("the payload is a copy")
	}
}

func TestFrameErrors(t *testing.T) {
	const size = "FRAME_ERROR - type 3, all octets = <<>>: "
	for _, c := range []struct {
		name, in string
		maxSize  uint32
		want     string // "" for none
	}{
		{"least frame", "03 0001 00000000 ce", 0, ""},
		{"heartbeat", "08 0000 00000000 ce", 4096, ""},
		{"as large as allowed", "03 0001 00000001 61 ce", 9, ""},
		{"as large as tolerated", "03 0001 00000001 61 ce", 1, ""},
		{"one octet too large", "03 0001 00000009", 8, size + "{frame_too_large,9,0} (501)"},
		{"too large, header only", "03 0001 00020001", 131072,
			size + "{frame_too_large,131073,131064} (501)"},
		{"largest size there is", "03 0001 ffffffff", 131072,
			size + "{frame_too_large,4294967295,131064} (501)"},
		{"largest size without limit waits", "03 0001 ffffffff", 0, ""},
		{"limit below the overhead", "03 0001 00000008", 7,
			size + "{frame_too_large,8,-1} (501)"},
		{"type 0", "00 0001 00000000", 0,
			"FRAME_ERROR - type 0, all octets = <<>>: unknown_frame (501)"},
		{"type 4", "04 0001 00000000", 0,
			"FRAME_ERROR - type 4, all octets = <<>>: unknown_frame (501)"},
		{"protocol header instead of a frame", "414d515000000901", 0,
			"FRAME_ERROR - type 65, all octets = <<>>: unknown_frame (501)"},
		{"heartbeat with payload", "08 0000 00000001", 0,
			"FRAME_ERROR - type 8, all octets = <<>>: unknown_frame (501)"},
		{"wrong end", "01 0001 00000002 003c 00", 0,
			"FRAME_ERROR - type 1, all octets = <<0,60>>: {invalid_frame_end_marker,0} (501)"},
	} {
		_, n, err := ParseFrame(unhex(t, c.in), c.maxSize)
		switch {
		case c.want != "":
			wantText(t, c.name, err, c.want)
			wantCode(t, c.name, err, FrameError)
			if n != 0 {
				t.Errorf("%s: used %d octets", c.name, n)
			}
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestOnlyFourFrameTypesExist(t *testing.T) {
	for kind := range 256 {
		_, n, err := ParseFrame([]byte{byte(kind), 0, 0, 0, 0, 0, 0, FrameEnd}, 0)
		known := kind == FrameMethod || kind == FrameHeader || kind == FrameBody ||
			kind == FrameHeartbeat
		if known != (err == nil && n == FrameOverhead) {
			t.Errorf("type %d: %d, %v", kind, n, err)
		}
	}
}

func TestFramesOfOneReadAreTakenApart(t *testing.T) {
	b := AppendBasicPublish(nil, 7, "e", "k", true, false)
	b = AppendContent(b, 7, nil, bytes.Repeat([]byte("x"), 10000), FrameMinSize)
	b = AppendHeartbeat(b)
	b = AppendBasicAck(b, 9, 3, true)
	var kinds []byte
	for len(b) > 0 {
		f, n, err := ParseFrame(b, FrameMinSize)
		if err != nil || n == 0 {
			t.Fatalf("%d octets left: %d, %v", len(b), n, err)
		}
		kinds = append(kinds, '0'+f.Type)
		b = b[n:]
	}
	if string(kinds) != "1"+"2333"+"8"+"1" {
		t.Errorf("frames %s", kinds)
	}
}

func TestProtocolHeaderIsThatOfVersion091(t *testing.T) {
	if string(ProtocolHeader[:]) != "AMQP\x00\x00\x09\x01" {
		t.Errorf("%q", ProtocolHeader)
	}
}

func TestReplyTextIsNameDashMessage(t *testing.T) {
	err := NewError(NotFound, "no queue '%s' in vhost '%s'", "q", "/")
	if err.Text != "NOT_FOUND - no queue 'q' in vhost '/'" || err.Code != 404 || err.Hard() {
		t.Errorf("%+v", err)
	}
	if err := NewError(InternalError, ""); err.Text != "INTERNAL_ERROR" {
		t.Errorf("without a message: %q", err.Text)
	}
	if err := NewError(999, "text"); err.Text != "text" || !err.Hard() {
		t.Errorf("unknown code: %q", err.Text)
	}
}

func TestReplyTextNeverExceedsItsField(t *testing.T) {
	for n := range 300 {
		for _, letter := range []string{"a", "é", "漢", "\xff"} {
			text := NewError(NotFound, "%s", strings.Repeat(letter, n)).Text
			full := "NOT_FOUND - " + strings.Repeat(letter, n)
			if len(full) <= ShortStrMax {
				if text != full {
					t.Fatalf("%d times %q: %q", n, letter, text)
				}
				continue
			}
			cut, ok := strings.CutSuffix(text, "...")
			if !ok || len(text) > ShortStrMax || len(text) < ShortStrMax-3 ||
				strings.Trim(strings.TrimPrefix(cut, "NOT_FOUND - "), letter) != "" {
				t.Fatalf("%d times %q: %q", n, letter, text)
			}
		}
	}
}

func TestSoftErrorsCloseTheChannelOnly(t *testing.T) {
	soft := map[uint16]bool{ContentTooLarge: true, NoRoute: true, NoConsumers: true,
		AccessRefused: true, NotFound: true, ResourceLocked: true, PreconditionFailed: true}
	for code := range uint16(1000) {
		if (&Error{Code: code}).Hard() == soft[code] {
			t.Errorf("code %d: hard is not %t", code, !soft[code])
		}
	}
}

func TestParsingOverInputOfEveryLengthStaysInside(t *testing.T) {
	// A frame whose size says anything, at the end of a buffer that is exactly as long.
	for size := range 64 {
		for have := range 64 {
			b := make([]byte, have)
			if have >= frameHeaderSize {
				b[0] = FrameBody
				binary.BigEndian.PutUint32(b[3:], uint32(size))
			}
			_, n, err := ParseFrame(b, 0)
			var e *Error
			if n > have || (err != nil && !errors.As(err, &e)) {
				t.Fatalf("size %d of %d: %d, %v", size, have, n, err)
			}
		}
	}
}
