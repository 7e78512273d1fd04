package amqp091_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestAPublisherThatWaitsForTheDiskIsShown with the reason: the log, when its buffer is full of
// what cannot be synced, and a queue, when that is too long and its messages are put on disk.
func TestAPublisherThatWaitsForTheDiskIsShown(t *testing.T) {
	for reason, test := range map[string]struct {
		op         disk.Op
		file       string
		properties amqp.Properties
	}{
		"log":   {disk.OpSync, messageFiles, persistent()},
		"queue": {disk.OpWrite, "spill-", amqp.Properties{}},
	} {
		t.Run(reason, func(t *testing.T) {
			release := make(chan struct{})
			fs := disk.Faulty(disk.NewMemory(), func(c disk.Call) disk.Fault {
				if c.Op == test.op && strings.Contains(c.Name, test.file) && c.Count > 10 {
					return disk.Fault{Wait: func() { <-release }}
				}
				return disk.Fault{}
			})
			addr, _, door := serveBroker(t, fs)
			client := warrentest.Open(t, addr)
			goOn := sync.OnceFunc(func() { close(release) })
			t.Cleanup(goOn)
			declare(client, "q", true)
			if f := untilFlow(t, door, broker.FlowRunning).Flow; f.Reason != "" {
				t.Errorf("before anything waits: %+v", f)
			}
			const messages = 30
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for range messages {
					client.Publish(1, "", "q", test.properties, make([]byte, 1<<20))
				}
			}()
			if c := untilHeld(t, door, reason); c.Flow.Since.IsZero() {
				t.Errorf("%+v", c.Flow)
			}
			goOn()
			<-sent
			untilReady(t, client, "q", messages)
		})
	}
}
