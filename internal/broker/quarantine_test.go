package broker

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/disk"
)

// damage flips a bit of a text in the log files.
func damage(t *testing.T, fs *disk.Memory, text string) {
	t.Helper()
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		name = filepath.Join("data", name)
		file, err := fs.Open(name, disk.Read)
		if err != nil {
			t.Fatal(err)
		}
		size, err := file.Size()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(io.NewSectionReader(file, 0, size))
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close() // it was read
		if at := bytes.Index(content, []byte(text)); at >= 0 {
			if err := fs.FlipBit(name, int64(at)*8); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%q is in no file", text)
}

// TestAQuarantinedQueueIsAcceptedWithWhatIsLeft damages one message of a queue.
func TestAQuarantinedQueueIsAcceptedWithWhatIsLeft(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	c.declare("hurt", true)
	c.declare("well", true)
	for _, body := range []string{"first body", "second body", "third body"} {
		c.stable(c.publish("", "hurt", body, true))
		c.stable(c.publish("", "well", body+" too", true))
	}
	if _, err := h.VHost("/").AcceptQueue("well"); err == nil ||
		err.Code != amqp.PreconditionFailed {
		t.Errorf("a queue that is well is accepted: %v", err)
	}
	if _, err := h.VHost("/").AcceptQueue("none"); err == nil || err.Code != amqp.NotFound {
		t.Errorf("a queue that is not there is accepted: %v", err)
	}
	h.shut()
	damage(t, fs, "second body")
	h = open(t, fs)
	for _, q := range h.VHost("/").Queues() {
		f := q.Flow()
		if f.State != FlowQuarantined {
			continue
		}
		if !strings.Contains(f.Reason, "damaged at offset") {
			t.Errorf("%s is quarantined because %q", q.Name(), f.Reason)
		}
		if _, err := h.guest().ReadableQueue(q.Name()); err == nil {
			t.Errorf("%s is quarantined and read from", q.Name())
		}
		if _, err := h.VHost("/").AcceptQueue(q.Name()); err != nil {
			t.Errorf("accept %s: %v", q.Name(), err)
		}
	}
	for range 2 { // it holds for the next start too
		c = h.guest()
		q, err := c.ReadableQueue("hurt")
		c.must(err)
		if f := q.Flow(); f.State != FlowRunning {
			t.Errorf("the queue is %s: %s", f.State, f.Reason)
		}
		c.stable(c.publish("", "hurt", "late", true))
		h.shut()
		h = open(t, fs)
	}
	c = h.guest()
	hurt, err := c.ReadableQueue("hurt")
	c.must(err)
	equal(t, "what is left", c.bodies(hurt), "first body", "third body", "late", "late")
	well, err := c.ReadableQueue("well")
	c.must(err)
	equal(t, "of the other", c.bodies(well), "first body too", "second body too", "third body too")
}
