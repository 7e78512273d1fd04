package crashtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
)

// shelf is a data directory of a stopped node, and what lies in it.
type shelf struct {
	dir  string
	want map[string][]string // by queue: name and checksum of each message, in order
	all  map[string]bool     // whatever was published, also what is settled
}

func shelfQueues() []string { return []string{"red", "green", "blue"} }

// shelfMessages are published in each of the lives of the node that fills a shelf.
const shelfMessages = 60

// shelfFileBytes is so little that there are segments as well on a shelf.
const shelfFileBytes = 64 << 10

// quiet is a node in this process, with small files, that logs warnings to a buffer.
func quiet(dir string, log *lockedBuffer) (*warren.Node, error) {
	o := &slog.HandlerOptions{Level: slog.LevelWarn}
	return warren.Start(context.Background(), warren.Options{
		DataDir: dir, Listen: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(log, o)),
		LogFileBytes: shelfFileBytes,
	})
}

// fillShelf runs a node twice: it publishes, settles some, and stops cleanly.
func fillShelf(t *testing.T, random *rand.Rand) *shelf {
	s := &shelf{dir: t.TempDir(), want: make(map[string][]string), all: make(map[string]bool)}
	for life := range 2 {
		var log lockedBuffer
		node, err := quiet(s.dir, &log)
		if err != nil {
			t.Fatal(err)
		}
		err = s.live(node.Addr().String(), random, life)
		if err = errors.Join(err, node.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *shelf) live(addr string, random *rand.Rand, life int) error {
	k, err := dial(addr)
	if err != nil {
		return err
	}
	defer k.close()
	var c confirms
	g := newLedger(shelfQueues())
	if err := c.open(k, 1, g); err != nil {
		return err
	}
	for _, queue := range shelfQueues() {
		if err := declare(k, queue); err != nil {
			return err
		}
	}
	for n := range shelfMessages {
		queue := shelfQueues()[random.IntN(3)]
		body := make([]byte, random.IntN(8<<10))
		for i := range body {
			body[i] = byte(random.Uint32())
		}
		p := c.next(body, true, queue)
		p.MessageID = fmt.Sprintf("%d.%d", life+1, n+1)
		item := shelved(p.MessageID, body)
		s.want[queue], s.all[item] = append(s.want[queue], item), true
		k.publish(1, "", queue, p, body)
	}
	if err := k.send(); err != nil {
		return err
	}
	for c.confirmed < c.sent {
		m, err := k.next()
		if err != nil {
			return err
		}
		if err := c.take(m); err != nil {
			return err
		}
	}
	return s.settleSome(k, random)
}

// settleSome settles the first messages of each queue.
func (s *shelf) settleSome(k *link, random *rand.Rand) error {
	for _, queue := range shelfQueues() {
		for range random.IntN(len(s.want[queue])) / 2 {
			get := &amqp.BasicGet{Queue: queue, NoAck: true}
			if _, err := k.call(2, get, amqp.MethodBasicGetOk); err != nil {
				return err
			}
			if _, _, err := k.content(); err != nil {
				return err
			}
			s.want[queue] = s.want[queue][1:]
		}
	}
	return nil
}

func shelved(id string, body []byte) string {
	return fmt.Sprintf("%s %d %08x", id, len(body), crc32.Checksum(body, castagnoli))
}

// copyTo copies the directory.
func (s *shelf) copyTo(dir string) error {
	names, err := s.files()
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			return err
		}
		if err := writeSparse(filepath.Join(dir, name), b); err != nil {
			return err
		}
	}
	return nil
}

// files are the names of those that have content. What ends in .tmp holds nothing.
func (s *shelf) files() (names []string, err error) {
	entries, err := os.ReadDir(s.dir)
	for _, e := range entries {
		info, infoErr := e.Info()
		temporary := filepath.Ext(e.Name()) == ".tmp"
		if infoErr == nil && !temporary && info.Mode().IsRegular() && info.Size() > 0 {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// writeSparse writes a file without its blocks of zeros.
func writeSparse(path string, b []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	const block = 64 << 10
	zeros := make([]byte, block)
	for at := 0; err == nil && at < len(b); at += block {
		part := b[at:min(at+block, len(b))]
		if !bytes.Equal(part, zeros[:len(part)]) {
			_, err = f.WriteAt(part, int64(at))
		}
	}
	return errors.Join(err, f.Truncate(int64(len(b))), f.Close())
}

// outcome of starting a node on a shelf.
type outcome int

const (
	harmless outcome = iota // all is there
	refused                 // the node does not start
	reported                // something is missing, and the log names the queue
)

// open starts a node on dir, a copy of the shelf that may be damaged, and looks at all queues.
// It is a violation if a message is delivered that nobody sent, or if any is missing or settled
// ones are back and the node has not said so.
func (s *shelf) open(dir string) (outcome, error) {
	var log lockedBuffer
	node, err := quiet(dir, &log)
	if err != nil {
		return refused, nil
	}
	defer func() { _ = node.Close() }()
	result := harmless
	for _, queue := range shelfQueues() {
		got, err := s.look(node.Addr().String(), queue)
		for _, item := range got {
			if !s.all[item] {
				return 0, violation("queue %s delivers %s, which nobody sent", queue, item)
			}
		}
		if err == nil && slices.Equal(got, s.want[queue]) {
			continue
		}
		if !log.quarantines(queue) {
			return 0, violation("queue %s has %d messages, of %d, and nothing is said: %v\n%s",
				queue, len(got), len(s.want[queue]), err, log.tail())
		}
		result = reported
	}
	return result, nil
}

// quarantines reports whether the log says, as an error, that a queue is quarantined.
func (b *lockedBuffer) quarantines(queue string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.b.String()) {
		if strings.Contains(line, "level=ERROR") && strings.Contains(line, " queue="+queue+" ") &&
			strings.Contains(line, `msg="queue quarantined"`) {
			return true
		}
	}
	return false
}

// look returns what a queue delivers; an error is that of a queue that cannot be used.
func (s *shelf) look(addr, queue string) (got []string, err error) {
	k, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer k.close()
	for {
		k.method(1, &amqp.BasicGet{Queue: queue})
		if err := k.send(); err != nil {
			return got, err
		}
		m, err := k.next()
		if _, empty := m.(*amqp.BasicGetEmpty); empty || err != nil {
			return got, err
		}
		id, body, err := k.content()
		if err != nil {
			return got, err
		}
		got = append(got, shelved(id, body))
	}
}
