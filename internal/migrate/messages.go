package migrate

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/drift"
)

// locate finds where a broker speaks AMQP.
func locate(
	ctx context.Context, api *apiclient.Client, e Endpoint, host string,
) (Endpoint, error) {
	if e.Address != "" {
		return e, nil
	}
	var overview struct {
		Listeners []struct {
			Protocol string `json:"protocol"`
			Address  string `json:"ip_address"`
			Port     int    `json:"port"`
		} `json:"listeners"`
	}
	if err := api.Get(ctx, "/overview", &overview); err != nil {
		return e, err
	}
	for _, l := range overview.Listeners {
		if l.Protocol != "amqp" {
			continue
		}
		if ip := net.ParseIP(l.Address); host == "" && ip != nil && !ip.IsUnspecified() {
			host = l.Address
		}
		e.Address = net.JoinHostPort(cmp.Or(host, "127.0.0.1"), strconv.Itoa(l.Port))
		return e, nil
	}
	return e, errors.New("it does not say where it speaks AMQP: name the address")
}

// findQueues counts the messages of the source's queues.
func (m *move) findQueues(ctx context.Context, source drift.Definitions) error {
	if m.NoMessages {
		return nil
	}
	m.step("counting messages")
	var err error
	if m.SourceAMQP, err = locate(ctx, m.Source, m.SourceAMQP, m.SourceHost); err != nil {
		return fmt.Errorf("the source: %w", err)
	}
	byVHost := map[string][]Queue{}
	for _, o := range source["queues"] {
		q := Queue{}
		q.VHost, _ = o["vhost"].(string)
		q.Name, _ = o["name"].(string)
		q.autoDelete, _ = o["auto_delete"].(bool)
		arguments, _ := o["arguments"].(drift.Object)
		q.quorum = arguments["x-queue-type"] == "quorum" || o["type"] == "quorum"
		byVHost[q.VHost] = append(byVHost[q.VHost], q)
	}
	for _, vhost := range m.VHosts {
		list := byVHost[vhost]
		err := count(ctx, m.SourceAMQP, vhost, list, func(i int, ready uint64, err error) {
			if err != nil {
				list[i].Error = err.Error()
			}
			list[i].Source = ready
		})
		if err != nil {
			return fmt.Errorf("the source: %w", err)
		}
		for _, q := range list {
			if q.Source > 0 || q.Error != "" {
				m.report.Queues = append(m.report.Queues, q)
			}
		}
	}
	m.lookAtClients(ctx)
	return nil
}

// lookAtClients warns of who still uses the queues. It is as old as the source's statistics.
func (m *move) lookAtClients(ctx context.Context) {
	var list []apiclient.Object
	err := m.Source.Get(ctx, "/queues?columns=vhost,name,consumers,messages_unacknowledged", &list)
	if err != nil {
		m.warn("who uses the queues of the source is not known: %v", err)
		return
	}
	moving := map[string]bool{}
	for _, q := range m.report.Queues {
		moving[place("queues", q.VHost, q.Name)] = true
	}
	for _, o := range list {
		if n := fmt.Sprint(o["messages_unacknowledged"]); n != "0" && n != "<nil>" {
			if vhost, _ := o["vhost"].(string); !slices.Contains(m.VHosts, vhost) {
				continue
			}
			held, _ := strconv.ParseUint(n, 10, 64)
			m.report.Held += held
			m.warn("%s messages of %q in %q are held by consumers of the source, and stay there",
				n, o["name"], o["vhost"])
		}
		if n := fmt.Sprint(o["consumers"]); n != "0" && n != "<nil>" &&
			moving[place("queues", o["vhost"], o["name"])] {
			m.warn("queue %q in %q has %s consumers at the source, which take messages, too",
				o["name"], o["vhost"], n)
		}
	}
}

// count asks how many messages are ready in each queue.
func count(
	ctx context.Context, e Endpoint, vhost string, list []Queue,
	note func(i int, ready uint64, err error),
) error {
	if len(list) == 0 {
		return nil
	}
	c, err := dial(ctx, e, vhost)
	if err != nil {
		return err
	}
	defer func() { c.hangUp() }()
	for i := range list {
		ready, err := ready(c, list[i].Name)
		note(i, ready, err)
		if err == nil {
			continue
		}
		c.hangUp() // the channel is closed
		if c, err = dial(ctx, e, vhost); err != nil {
			return err
		}
	}
	return nil
}

func ready(c *conn, queue string) (uint64, error) {
	m, err := c.call(&amqp.QueueDeclare{Queue: queue, Passive: true}, amqp.MethodQueueDeclareOk)
	if err != nil {
		return 0, err
	}
	return uint64(m.(*amqp.QueueDeclareOk).MessageCount), nil
}

// interrupted is what a queue says whose move was not finished.
const interrupted = "interrupted"

// messages moves the messages of all queues that have some.
func (m *move) messages(ctx context.Context) error {
	var err error
	if m.TargetAMQP, err = locate(ctx, m.Target, m.TargetAMQP, m.TargetHost); err != nil {
		return fmt.Errorf("the target: %w", err)
	}
	if m.TargetAMQP.User == "" {
		remove, err := m.borrowUser(ctx)
		if err != nil {
			return err
		}
		defer remove()
	}
	if err := m.countTarget(ctx, func(q *Queue, n uint64) { q.Target = n }); err != nil {
		return err
	}
	m.progress(func(p *Progress) {
		p.Step = "moving messages"
		for _, q := range m.report.Queues {
			p.Total += q.Source
		}
	})
	todo := make(chan *Queue) // unbuffered: a worker takes a queue when it is free
	var workers sync.WaitGroup
	for range m.Workers {
		workers.Go(func() {
			for q := range todo {
				err := m.moveQueue(ctx, q)
				switch {
				case err != nil && ctx.Err() != nil:
					q.Error = interrupted
				case err != nil:
					q.Error = err.Error()
				}
			}
		})
	}
	for i := range m.report.Queues {
		switch q := &m.report.Queues[i]; {
		case q.Error != "":
		case ctx.Err() != nil:
			q.Error = interrupted
		default:
			todo <- q
		}
	}
	close(todo)
	workers.Wait()
	if ctx.Err() != nil {
		return errors.New(interrupted + ": call it again to go on")
	}
	return m.countAfter(ctx)
}

// moveQueue moves the messages of one queue.
func (m *move) moveQueue(ctx context.Context, q *Queue) error {
	if m.Keep && q.Target > 0 {
		if q.Target == q.Source {
			return nil // an earlier call has done it
		}
		return fmt.Errorf("the target has %d messages in it already: copies would come twice",
			q.Target)
	}
	source, err := dial(ctx, m.SourceAMQP, q.VHost)
	if err != nil {
		return err
	}
	defer source.hangUp()
	target, err := dial(ctx, m.TargetAMQP, q.VHost)
	if err != nil {
		return err
	}
	defer target.hangUp()
	probe, err := dial(ctx, m.SourceAMQP, q.VHost)
	if err != nil {
		return err
	}
	defer probe.hangUp()
	var moved atomic.Uint64
	p := &pump{
		job: job{
			vhost: q.VHost, queue: q.Name, autoDelete: q.autoDelete, quorum: q.quorum,
			count: q.Source, keep: m.Keep,
		},
		source: source, target: target,
		left: func() (uint64, error) { return ready(probe, q.Name) },
		moved: func(count int) {
			moved.Add(uint64(count))
			m.progress(func(p *Progress) { p.Moved += uint64(count) })
		},
	}
	err = p.run(ctx)
	q.Moved = moved.Load()
	return err
}

// cleanupTimeout is how long the removal of the borrowed user may take, after an interruption
// too.
const cleanupTimeout = 10 * time.Second

// borrowUser makes a user at the target that may publish in the name of all others.
func (m *move) borrowUser(ctx context.Context) (remove func(), err error) {
	m.TargetAMQP.User = "warren-migrate-" + strings.ToLower(rand.Text()[:8])
	m.TargetAMQP.Password = rand.Text()
	path := apiclient.Path("users", m.TargetAMQP.User)
	err = m.Target.Put(ctx, path, apiclient.Object{
		"password": m.TargetAMQP.Password, "tags": "impersonator",
	})
	if err != nil {
		return nil, fmt.Errorf("make a user for the time of the move: %w", err)
	}
	remove = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		if err := m.Target.Delete(ctx, path); err != nil {
			m.warn("the user %s, made for the move, is left: %v", m.TargetAMQP.User, err)
		}
	}
	for _, vhost := range m.VHosts {
		err := m.Target.Put(ctx, apiclient.Path("permissions", vhost, m.TargetAMQP.User),
			apiclient.Object{"configure": ".*", "write": ".*", "read": ".*"})
		if err != nil {
			remove()
			return nil, fmt.Errorf("give the user of the move access to %q: %w", vhost, err)
		}
	}
	return remove, nil
}

func (m *move) countTarget(ctx context.Context, note func(q *Queue, n uint64)) error {
	return m.countAt(ctx, m.TargetAMQP, note)
}

// countAfter counts at both ends.
func (m *move) countAfter(ctx context.Context) error {
	err := m.countAt(ctx, m.SourceAMQP, func(q *Queue, n uint64) { q.SourceAfter = n })
	if err != nil {
		return err
	}
	return m.countTarget(ctx, func(q *Queue, n uint64) { q.TargetAfter = n })
}

func (m *move) countAt(ctx context.Context, e Endpoint, note func(q *Queue, n uint64)) error {
	for _, vhost := range m.VHosts {
		var list []Queue
		var from []int
		for i, q := range m.report.Queues {
			if q.VHost == vhost && q.Error == "" {
				list, from = append(list, q), append(from, i)
			}
		}
		var failed []error
		err := count(ctx, e, vhost, list, func(i int, n uint64, err error) {
			if err == nil {
				note(&m.report.Queues[from[i]], n)
			}
			failed = append(failed, err)
		})
		if err = errors.Join(append(failed, err)...); err != nil {
			return fmt.Errorf("count messages: %w", err)
		}
	}
	return nil
}
