package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// asWarren tells the test binary to be the program: tests start real processes of themselves.
const asWarren = "WARREN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asWarren) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is a running warren process.
type program struct {
	t      testing.TB
	cmd    *exec.Cmd
	addr   net.Addr
	stderr bytes.Buffer
}

func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asWarren+"=1")
	return cmd
}

// serve starts a broker on a data directory and waits until it says where it listens.
func serve(t testing.TB, dir string, args ...string) *program {
	t.Helper()
	args = append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"}, args...)
	p := &program{t: t, cmd: command(context.Background(), args...)}
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "amqp://"); ok && p.addr == nil {
			if p.addr, err = net.ResolveTCPAddr("tcp", address); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if p.addr == nil {
		_ = p.cmd.Wait()
		t.Fatalf("the broker did not start: %s", p.stderr.String())
	}
	go func() {
		for lines.Scan() {
		}
	}()
	return p
}

// kill is kill -9; it may come twice.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func ctl(t testing.TB, dir string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := command(ctx, append([]string{"ctl", "--data", dir}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ctl %v: %v: %s", args, err, out)
	}
	return string(out)
}

func TestServeThenStopByControlSocket(t *testing.T) {
	dir := t.TempDir()
	p := serve(t, dir)
	client := warrentest.Open(t, p.addr)
	client.Call(1, &amqp.QueueDeclare{Queue: "hello"}, amqp.MethodQueueDeclareOk)
	client.Publish(1, "", "hello", amqp.Properties{}, []byte("Hello World!"))
	client.Call(1, &amqp.BasicQos{}, amqp.MethodBasicQosOk)

	want := "Timeout: 60.0 seconds ...\nListing queues for vhost / ...\nname\tmessages\nhello\t1\n"
	if got := ctl(t, dir, "list_queues"); got != want {
		t.Errorf("list_queues printed %q, want %q", got, want)
	}
	want = "Listing bindings for vhost /...\n" +
		"source_name\tsource_kind\tdestination_name\tdestination_kind\trouting_key\targuments\n" +
		"\texchange\thello\tqueue\thello\t[]\n"
	if got := ctl(t, dir, "list_bindings"); got != want {
		t.Errorf("list_bindings printed %q, want %q", got, want)
	}
	_, port, _ := net.SplitHostPort(p.addr.String())
	if got := ctl(t, dir, "status"); !strings.Contains(got, "port: "+port+", protocol: amqp") {
		t.Errorf("status does not name port %s: %q", port, got)
	}
	if info, err := os.Stat(dir + "/control.sock"); err == nil && info.Mode().Perm() != 0o600 {
		t.Errorf("the control socket has mode %v", info.Mode())
	}
	ctl(t, dir, "stop")
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the broker ended with %v: %s", err, p.stderr.String())
	}
}

func TestSecondNodeOnADataDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir)
	out, err := command(context.Background(), "serve", "--data", dir,
		"--listen", "127.0.0.1:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), dir) {
		t.Errorf("a second node ended with %v and said %q", err, out)
	}
}

// crashes is how often TestConfirmedMessagesSurviveKill kills a broker; WARREN_CRASHES sets
// another number, and WARREN_CRASH_SEED other moments.
const crashes = 5

// TestConfirmedMessagesSurviveKill publishes persistent messages with confirms, kills the
// broker at a random moment, and looks after a restart for every message that was confirmed.
func TestConfirmedMessagesSurviveKill(t *testing.T) {
	rounds := crashes
	if text := os.Getenv("WARREN_CRASHES"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(1)
	if text := os.Getenv("WARREN_CRASH_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("repeat with WARREN_CRASH_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			crashOnce(t, 1+random.IntN(3000))
		})
	}
}

// crashOnce kills the broker when it has confirmed about the given number of messages.
func crashOnce(t *testing.T, confirms int) {
	dir := t.TempDir()
	p := serve(t, dir)
	client := warrentest.Open(t, p.addr)
	durable := &amqp.QueueDeclare{Queue: "q", Durable: true}
	client.Call(1, durable, amqp.MethodQueueDeclareOk)
	client.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	confirmed := publishUntilKilled(client, p, confirms)
	p = serve(t, dir)
	client = warrentest.Open(t, p.addr)
	ok := client.Call(1, durable, amqp.MethodQueueDeclareOk).(*amqp.QueueDeclareOk)
	if uint64(ok.MessageCount) < confirmed {
		t.Fatalf("%d messages were confirmed, %d are there", confirmed, ok.MessageCount)
	}
	client.Call(1, &amqp.BasicConsume{Queue: "q", NoAck: true}, amqp.MethodBasicConsumeOk)
	for n := range uint64(ok.MessageCount) {
		client.Expect(1, amqp.MethodBasicDeliver)
		if _, body := client.Content(1); binary.BigEndian.Uint64(body) != n+1 {
			t.Fatalf("message %d came where %d was expected", binary.BigEndian.Uint64(body), n+1)
		}
	}
}

// publishUntilKilled keeps a window of messages unconfirmed and kills the broker on the way.
// It returns the number of the last message that was confirmed.
func publishUntilKilled(client *warrentest.Client, p *program, confirms int) (last uint64) {
	const window = 500
	next := uint64(1)
	for {
		for ; next <= last+window; next++ {
			body := binary.BigEndian.AppendUint64(make([]byte, 0, 200), next)
			client.Publish(1, "", "q", amqp.Properties{DeliveryMode: 2}, body[:200])
		}
		ack, ok := client.TryMethod().(*amqp.BasicAck)
		if !ok {
			return last
		}
		last = max(last, ack.DeliveryTag)
		if last >= uint64(confirms) {
			p.kill()
			for { // what had arrived before the end counts as confirmed
				ack, ok := client.TryMethod().(*amqp.BasicAck)
				if !ok {
					return last
				}
				last = max(last, ack.DeliveryTag)
			}
		}
	}
}
