package amqp091_test

import (
	"net"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

const replyQueue = "amq.rabbitmq.reply-to"

// awaitReplies subscribes c to answers and returns the key under which they come, which another
// client is told with a question.
func awaitReplies(c, asked *warrentest.Client, queue string) string {
	c.Call(1, &amqp.BasicConsume{Queue: replyQueue, ConsumerTag: "replies", NoAck: true},
		amqp.MethodBasicConsumeOk)
	c.Publish(1, "", queue, amqp.Properties{ReplyTo: replyQueue}, []byte("?"))
	asked.Expect(1, amqp.MethodBasicDeliver)
	props, _ := asked.Content(1)
	key, _ := props.ReplyTo()
	return string(key)
}

// served starts a node with a client that is asked through queue q.
func served(t *testing.T) (addr net.Addr, server *warrentest.Client) {
	addr = warrentest.Start(t).Addr()
	server = warrentest.Open(t, addr)
	declare(server, "q", false)
	consume(server, 1, "q", true)
	return addr, server
}

// TestKeysOfRepliesCannotBeGuessed compares many of them.
func TestKeysOfRepliesCannotBeGuessed(t *testing.T) {
	addr, server := served(t)
	keys := map[string]bool{}
	for range 20 {
		c := warrentest.Open(t, addr)
		key := awaitReplies(c, server, "q")
		if !strings.HasPrefix(key, replyQueue+".") || len(key) < len(replyQueue)+20 || keys[key] {
			t.Fatalf("key %q after %v", key, keys)
		}
		keys[key] = true
	}
}

// TestRepliesThatNobodyReadsAreDropped reaches replyPendingMax: who answers does not wait, and
// when the client reads again it gets further answers.
func TestRepliesThatNobodyReadsAreDropped(t *testing.T) {
	addr, server := served(t)
	lazy := warrentest.Open(t, addr)
	key := awaitReplies(lazy, server, "q")
	server.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	body := make([]byte, 1<<20)
	const count = 100
	for n := uint64(1); n <= count; n++ {
		server.Publish(1, "", key, amqp.Properties{}, body)
		confirmed(t, server, 1, n)
	}
	got := 0
	for ; got < count/2; got++ {
		lazy.Expect(1, amqp.MethodBasicDeliver)
		lazy.Content(1)
	}
	server.Publish(1, "", key, amqp.Properties{}, []byte("last"))
	for last := false; !last; got++ {
		lazy.Expect(1, amqp.MethodBasicDeliver)
		_, b := lazy.Content(1)
		last = string(b) == "last"
	}
	if got <= count/2 || got > count {
		t.Errorf("%d answers of %d came", got, count)
	}
}

// TestAnAnswerCostsNoAllocation is the gate of request and answer: question, reply-to rewritten,
// answer.
func TestAnAnswerCostsNoAllocation(t *testing.T) {
	addr, server := served(t)
	asking := warrentest.Open(t, addr)
	key := awaitReplies(asking, server, "q")
	var questions, answers, asked, answered []byte
	replyTo := func(to string) amqp.RawProperties {
		p := amqp.Properties{ReplyTo: to}
		return p.AppendTo(nil)
	}
	for range runMessages {
		questions = amqp.AppendBasicPublish(questions, 1, "", "q", false, false)
		questions = amqp.AppendContent(questions, 1, replyTo(replyQueue), nil, 0)
		asked = amqp.AppendBasicDeliver(asked, 1, "q", 1, false, nil, []byte("q"))
		asked = amqp.AppendContent(asked, 1, replyTo(key), nil, 0)
		answers = amqp.AppendBasicPublish(answers, 1, "", key, false, false)
		answers = amqp.AppendContent(answers, 1, nil, nil, 0)
		answered = amqp.AppendBasicDeliver(answered, 1, "replies", 1, false, nil, []byte(key))
		answered = amqp.AppendContent(answered, 1, nil, nil, 0)
	}
	got := testing.AllocsPerRun(20, func() {
		exchangeBytes(t, asking.Conn(), server.Conn(), questions, asked)
		exchangeBytes(t, server.Conn(), asking.Conn(), answers, answered)
	})
	if got > runMessages/10 {
		t.Errorf("%v allocations for %d questions and answers", got, runMessages)
	}
}

// TestNoReplyComesOnAChannelThatIsClosed by the broker, whether or not the client has seen that.
func TestNoReplyComesOnAChannelThatIsClosed(t *testing.T) {
	addr, server := served(t)
	c := warrentest.Dial(t, addr)
	c.Handshake(nil)
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	key := awaitReplies(c, server, "q")
	declare(server, "slow", false)
	c.Call(1, &amqp.BasicConsume{
		Queue: "slow", Arguments: amqp.NewTable(map[string]any{"x-consumer-timeout": 1}),
	}, amqp.MethodBasicConsumeOk)
	server.Publish(1, "", "slow", amqp.Properties{}, []byte("held"))
	delivery(t, c, 1, "held")
	c.Expect(1, amqp.MethodChannelClose)
	server.Publish(1, "", key, amqp.Properties{}, []byte("!"))
	silent(server, 1)
	c.Send(1, &amqp.ChannelCloseOk{})
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
}
