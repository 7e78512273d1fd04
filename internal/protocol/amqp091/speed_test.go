package amqp091_test

import (
	"io"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// BenchmarkMessage is what a message costs from one socket to another: broker and client together,
// 1,000 messages in each write. Of figures from a machine that is not quiet the least counts.
func BenchmarkMessage(b *testing.B) {
	for _, c := range []struct {
		name       string
		properties amqp.RawProperties
		size       int
	}{
		{"16B", nil, 16},
		{"1KiB", nil, 1024},
		{"1KiB-persistent", (&amqp.Properties{DeliveryMode: 2}).AppendTo(nil), 1024},
	} {
		b.Run(c.name, func(b *testing.B) {
			node := warrentest.Start(b)
			client := warrentest.Open(b, node.Addr())
			client.Call(1, &amqp.QueueDeclare{Queue: "q", Durable: true},
				amqp.MethodQueueDeclareOk)
			client.Call(1, &amqp.BasicConsume{Queue: "q", ConsumerTag: "c", NoAck: true},
				amqp.MethodBasicConsumeOk)
			var batch, expected []byte
			body := make([]byte, c.size)
			for range runMessages {
				batch = amqp.AppendBasicPublish(batch, 1, "", "q", false, false)
				batch = amqp.AppendContent(batch, 1, c.properties, body, 131072)
				expected = amqp.AppendBasicDeliver(expected, 1, "c", 1, false, nil, []byte("q"))
				expected = amqp.AppendContent(expected, 1, c.properties, body, 131072)
			}
			deliveries := make([]byte, len(expected))
			done := make(chan struct{})
			b.ResetTimer()
			for n := 0; n < b.N; n += runMessages {
				go func() { // the socket does not hold all of it
					if _, err := client.Conn().Write(batch); err != nil {
						b.Error(err)
					}
					done <- struct{}{}
				}()
				if _, err := io.ReadFull(client.Conn(), deliveries); err != nil {
					b.Fatal(err)
				}
				<-done
			}
		})
	}
}
