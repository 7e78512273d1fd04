package broker

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"sync"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/message"
)

// ReplyQueue is the name that clients consume from, and ask answers to, when they want answers
// without a queue. What begins with it is no queue either.
const ReplyQueue = "amq.rabbitmq.reply-to"

// repliersMax is how many channels may wait for answers at a time.
const repliersMax = 1 << 20

// ReplyReceiver is what a door puts behind a client that waits for answers.
type ReplyReceiver interface {
	// ReceiveReply takes a message that it may use until it returns. It may be called by any
	// goroutine, until CloseReplies and, by one that has just found it, a little longer. It may
	// only append to memory, and drop what is too much. It reports whether the caller must call
	// Flush.
	ReceiveReply(m *message.Message) (flush bool)
	// Flush lets what was received go out. It must not wait for the client.
	Flush()
}

// replies knows who waits for answers, by the routing key that leads there. Keys hold 16 random
// bytes: who was not told one cannot find it. They are good in all vhosts, as with RabbitMQ.
type replies struct {
	mu        sync.RWMutex
	receivers map[string]ReplyReceiver
}

// OpenReplies lets answers come to r until CloseReplies, and returns the routing key that leads
// there through the default exchange. It fails when repliersMax wait.
func (m *Manager) OpenReplies(r ReplyReceiver) (key string, err *amqp.Error) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails, see its documentation
	key = ReplyQueue + "." + base64.StdEncoding.EncodeToString(random[:])
	m.replies.mu.Lock()
	defer m.replies.mu.Unlock()
	if len(m.replies.receivers) >= repliersMax {
		return "", amqp.NewError(amqp.ResourceError, "%d channels wait for replies, at most %d",
			len(m.replies.receivers), repliersMax)
	}
	if m.replies.receivers == nil {
		m.replies.receivers = make(map[string]ReplyReceiver)
	}
	m.replies.receivers[key] = r
	return key, nil
}

// CloseReplies ends what OpenReplies began.
func (m *Manager) CloseReplies(key string) {
	m.replies.mu.Lock()
	defer m.replies.mu.Unlock()
	delete(m.replies.receivers, key)
}

// Replier returns who waits for answers with a routing key of the default exchange; nil: nobody.
func (m *Manager) Replier(key []byte) ReplyReceiver {
	if !bytes.HasPrefix(key, []byte(ReplyQueue)) {
		return nil
	}
	m.replies.mu.RLock()
	defer m.replies.mu.RUnlock()
	return m.replies.receivers[string(key)]
}
