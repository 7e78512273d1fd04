package protocol

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// childDescriptors is how many descriptors the child of the test may have.
const childDescriptors = 64

// TestDescriptorsRunOut lowers the limit in a child process, opens more connections than it has
// descriptors for, and gives some back.
func TestDescriptorsRunOut(t *testing.T) {
	if os.Getenv("DESCRIPTORS_RUN_OUT") != "" {
		serveWithFewDescriptors(t)
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDescriptorsRunOut$")
	child.Env = append(os.Environ(), "DESCRIPTORS_RUN_OUT=1")
	var said bytes.Buffer
	child.Stderr = &said
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Scan()
	address := lines.Text()

	var served []net.Conn
	var waiting net.Conn
	for waiting == nil {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("after %d connections: %v", len(served), err)
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		if !echoed(conn) {
			waiting = conn
			break
		}
		served = append(served, conn)
		if len(served) > childDescriptors {
			t.Fatal("descriptors did not run out")
		}
	}
	_ = served[0].Close()
	_ = waiting.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := waiting.Read(make([]byte, 1)); n != 1 {
		t.Errorf("nobody was accepted when a descriptor was free again: %v", err)
	}
	for _, conn := range served[1:] {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if !echoed(conn) {
			t.Error("a bystander was cut")
		}
	}
	_ = stdin.Close()
	if err := child.Wait(); err != nil {
		t.Errorf("the child: %v\n%s", err, &said)
	}
	if n := strings.Count(said.String(), "level=ERROR"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &said)
	}
}

// serveWithFewDescriptors is the child: it echoes until its input ends.
func serveWithFewDescriptors(t *testing.T) {
	limit := unix.Rlimit{Cur: childDescriptors, Max: childDescriptors}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), "127.0.0.1:0", Options{
		Door: &echoes{polite: true}, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.options.ConnectionsMax; got != childDescriptors/2 {
		t.Errorf("%d connections are allowed", got)
	}
	for range childDescriptors / 2 { // somebody else in the process has many files open
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	_, _ = fmt.Fprintln(os.Stdout, l.Addr())
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	if err := l.Close(time.Minute); err != nil {
		t.Error(err)
	}
}
