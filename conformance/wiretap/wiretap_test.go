package wiretap

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

const patience = 30 * time.Second

// frame encodes a frame as the protocol has it.
func frame(kind byte, payload ...byte) []byte {
	encoded := []byte{kind, 0, 1}
	encoded = binary.BigEndian.AppendUint32(encoded, uint32(len(payload)))
	return append(append(encoded, payload...), frameEnd)
}

// conversation sends what both sides say through a tap and returns what it heard.
func conversation(t *testing.T, client, server []byte) (Conversation, error) {
	t.Helper()
	broker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	tap, err := Listen(broker.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tap.Close)
	near, err := net.Dial("tcp", tap.Address())
	if err != nil {
		t.Fatal(err)
	}
	far, err := broker.Accept()
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan []byte, 2) // one for each side
	say := func(end net.Conn, words []byte) {
		_, _ = end.Write(words)
		_ = end.(*net.TCPConn).CloseWrite()
		all, _ := io.ReadAll(end)
		end.Close()
		heard <- all
	}
	go say(near, client)
	say(far, server)
	passed := [][]byte{<-heard, <-heard}
	for _, words := range [][]byte{client, server} {
		if !slices.ContainsFunc(passed, func(b []byte) bool { return slices.Equal(b, words) }) {
			t.Errorf("%q did not pass unchanged", words)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return tap.Conversation(ctx)
}

func TestTapHearsBothSidesAndChangesNothing(t *testing.T) {
	client := slices.Concat([]byte("AMQP\x00\x00\x09\x01"),
		frame(frameMethod, 0, 10, 0, 11), frame(frameHeartbeat),
		frame(frameMethod, 0, 60, 0, 40), frame(frameHeader, 0, 60), frame(frameBody, 'x'),
		frame(frameMethod, 0, 10, 0, 50))
	server := slices.Concat(frame(frameMethod, 0, 10, 0, 10), frame(frameMethod, 0, 10, 0, 51),
		frame(frameMethod, 0, 99, 0, 1))
	heard, err := conversation(t, client, server)
	if err != nil {
		t.Fatal(err)
	}
	wantClient := []string{
		"connection.start-ok", "basic.publish", "header", "body", "connection.close",
	}
	if !slices.Equal(heard.Client, wantClient) {
		t.Errorf("the client said %q", heard.Client)
	}
	wantServer := []string{"connection.start", "connection.close-ok", "method 99.1"}
	if !slices.Equal(heard.Server, wantServer) {
		t.Errorf("the server said %q", heard.Server)
	}
}

func TestTapReportsWhatIsNoFrame(t *testing.T) {
	tooLong := []byte{frameMethod, 0, 1}
	tooLong = binary.BigEndian.AppendUint32(tooLong, payloadMax+1)
	badEnd := frame(frameMethod, 0, 10, 0, 10)
	badEnd[len(badEnd)-1] = 0
	for name, words := range map[string][]byte{"too long": tooLong, "bad end": badEnd} {
		if _, err := conversation(t, nil, words); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClosedTapHasNoConversation(t *testing.T) {
	tap, err := Listen("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	tap.Close()
	heard, err := tap.Conversation(t.Context())
	if err != nil || heard.Client != nil || heard.Server != nil {
		t.Errorf("heard %v, %v", heard, err)
	}
}
