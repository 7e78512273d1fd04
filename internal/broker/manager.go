// Package broker is the queue manager: it holds the vhosts, routes what is published, drives
// the queues, and sees to it that what must survive is on stable storage.
//
// Floor 5. It stands on the rules (definition, exchange, queue), which decide everything, and
// on the store, which keeps. Doors (protocol, management) stand above: they open an Access for
// a user, collect what a connection asks in a Batch, and run it.
package broker

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/telemetry"
	"github.com/warrenmq/warren/internal/wheel"
)

// Options says how a Manager is made. All fields are required except where noted.
type Options struct {
	// Store keeps definitions and messages. It is open and not yet recovered; the manager
	// recovers and starts it, the caller closes it after the manager.
	Store *store.Store
	// ExchangeTypes are the exchange types that may be declared.
	ExchangeTypes []exchange.Type
	// DefaultUser and DefaultPassword are created, with the permissions that Seed says, in a data
	// directory that has no user.
	DefaultUser, DefaultPassword string
	// Seed is what the node declares by itself; optional.
	Seed Seed
	// Auth says how logins are judged.
	Auth auth.Options
	// Logger takes one line for each event an operator acts on.
	Logger *slog.Logger
	// NodeName is how the node calls itself; optional.
	NodeName string
	// Limits bound what there may be on the node; optional.
	Limits NodeLimits
	// DefaultQueueType is the type of queues that are declared without one, in vhosts that do not
	// say it; default "classic".
	DefaultQueueType string
	// ConsumerTimeout is how long a consumer may hold a message of a queue of which nothing else is
	// said; 0: for ever.
	ConsumerTimeout time.Duration
	// Tracer takes spans of what is done with messages that are traced; nil: nobody does. The
	// caller closes it after the manager.
	Tracer *telemetry.Tracer
	// Timers are those of the node, closed after the manager; nil: the manager has its own.
	Timers *wheel.Timers
}

// Manager is one queue manager. It is safe for concurrent use.
type Manager struct {
	log    *slog.Logger
	store  *store.Store
	tracer *telemetry.Tracer // nil: nobody wants spans
	auth   *auth.Internal
	// backEnds judge who may do what; auth is one of them.
	backEnds auth.Chain

	accesses atomic.Uint64 // ids given out
	registry registry
	limits   atomic.Pointer[NodeLimits]
	seed     Seed
	name     string
	// queues and exchanges count those of all vhosts.
	queues, exchanges atomic.Int64
	shownIDs          atomic.Uint64 // see NewID
	queueIDs          atomic.Uint64

	batches sync.Pool // of *Batch not in use
	chunks  chunkPool
	clock   *clock
	alarms  alarms
	replies replies
	loading sync.WaitGroup // goroutines that read messages back
	// starting guards closing, after which nobody begins anything in loading.
	starting sync.Mutex
	closing  atomic.Bool
	// resident is about how many bytes messages in memory take, of all queues.
	resident  atomic.Int64
	histories atomic.Int64 // bytes that exchanges keep of what went through them
	routes    routeTable
	counts    statistics

	// declaring is held by whoever changes definitions, until the change is on disk: it keeps
	// the journal in the order of the changes. Nothing a message needs ever waits for it.
	declaring sync.Mutex

	// mu guards users, permissions and the list of vhosts; what is in a vhost is guarded there.
	mu     sync.RWMutex
	state  *definition.State
	vhosts map[string]*VHost
}

// New recovers what the store holds and returns a running manager.
func New(o Options) (*Manager, error) {
	m := &Manager{
		log: o.Logger, store: o.Store, state: definition.New(o.ExchangeTypes),
		vhosts: make(map[string]*VHost), name: o.NodeName,
		seed: o.Seed, tracer: o.Tracer,
	}
	if err := definition.CheckQueueType(o.DefaultQueueType); err != nil {
		return nil, fmt.Errorf("broker: default queue type: %w", err)
	}
	m.SetLimits(o.Limits)
	m.state.SetDefaultQueueType(o.DefaultQueueType)
	m.state.SetConsumerTimeout(o.ConsumerTimeout.Milliseconds())
	if err := o.Seed.check(definition.New(o.ExchangeTypes)); err != nil {
		return nil, fmt.Errorf("broker: defaults: %w", err)
	}
	m.auth = auth.NewInternal(m, o.Auth)
	var err error
	if m.backEnds, err = auth.NewChain(o.Auth.BackEnds, m.auth); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	m.clock = newClock(m, o.Timers)
	m.routes.seed = maphash.MakeSeed()
	if err := m.recoverDefinitions(); err != nil {
		return nil, err
	}
	orphans, err := m.recoverMessages()
	if err != nil {
		return nil, err
	}
	if err := o.Store.Start(); err != nil {
		return nil, err
	}
	if err := m.quarantineEach(); err != nil {
		return nil, err
	}
	m.startDelays()
	m.startQueues()
	for id := range orphans {
		m.store.DeleteQueue(m.store.OpenQueue(id))
	}
	if err := m.makeDefaults(o.DefaultUser, o.DefaultPassword); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Manager) recoverDefinitions() error {
	err := m.store.RecoverDefinitions(func(record []byte) error {
		c, err := definition.DecodeCommand(record)
		if err != nil {
			return err
		}
		m.queueIDs.Store(max(m.queueIDs.Load(), c.Queue.ID, c.Exchange.ID))
		return m.state.Replay(c)
	})
	if err != nil {
		return fmt.Errorf("broker: recover definitions: %w", err)
	}
	for _, name := range m.state.VHosts() {
		m.mu.Lock()
		v := m.addVHost(name)
		m.mu.Unlock()
		for _, d := range v.definitions.Queues() {
			v.add(d)
		}
		for _, x := range v.definitions.Exchanges() {
			v.keeperOf(x.Name)
		}
	}
	return nil
}

// addVHost puts a vhost behind a definition; m.mu is held.
func (m *Manager) addVHost(name string) *VHost {
	d, _ := m.state.VHost(name)
	v := &VHost{
		m: m, name: name, definitions: d,
		queues: make(map[string]*Queue), exclusive: make(map[uint64]map[*Queue]struct{}),
		writing: make(map[string]*writing), salt: maphash.String(m.routes.seed, name),
	}
	v.generations.seed = m.routes.seed
	m.vhosts[name] = v
	m.exchanges.Add(int64(len(d.Exchanges())))
	return v
}

// define gives records their place in the definitions journal; the declaring lock is held. The
// function it returns waits until they are on stable storage; it is called without that lock.
func (m *Manager) define(records [][]byte) (written func() *amqp.Error) {
	if len(records) == 0 {
		return func() *amqp.Error { return nil }
	}
	wait := m.store.DefineLater(m.snapshot, records...)
	return func() *amqp.Error {
		if err := wait(); err != nil {
			m.log.Error("definitions journal", "error", err)
			return amqp.NewError(amqp.InternalError, "the declaration could not be stored")
		}
		return nil
	}
}

// snapshot emits the records that stand for everything declared. Nobody waits for it longer than
// it takes to look at one vhost. What changes meanwhile may be in it or not: it comes after it in
// the journal.
func (m *Manager) snapshot(emit func(record []byte)) {
	var record []byte // the store copies it
	put := func(c definition.Command) {
		record = c.AppendTo(record[:0])
		emit(record)
	}
	m.mu.RLock()
	m.state.SnapshotNode(put)
	m.mu.RUnlock()
	for _, v := range m.VHosts() {
		v.mu.RLock()
		s := v.definitions.Snapshot()
		v.mu.RUnlock()
		s.Emit(put)
	}
}

func (m *Manager) nextQueueID() uint64 { return m.queueIDs.Add(1) }

// NewID returns a number that no other connection or channel of the node has, or had.
func (m *Manager) NewID() uint64 { return m.shownIDs.Add(1) }

// Login checks a user's password; peer is where the client comes from. It may wait for its turn,
// until ctx is done at most.
func (m *Manager) Login(ctx context.Context, user, password string, peer net.Addr) error {
	return m.backEnds.Login(ctx, user, password, peer)
}

// LoginWithout lets a user in whom the connection itself has proved, with a certificate.
func (m *Manager) LoginWithout(user string, peer net.Addr) error {
	return m.backEnds.LoginWithout(user, peer)
}

// HashPassword returns the hash of a new password and the algorithm it is made with. It may wait
// for its turn, until ctx is done at most.
func (m *Manager) HashPassword(ctx context.Context, password string) (
	hash []byte, algorithm string, err error,
) {
	return m.auth.Hash(ctx, password)
}

// User implements auth.Users.
func (m *Manager) User(name string) (definition.User, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.User(name)
}

// Permission implements auth.Users.
func (m *Manager) Permission(user, vhost string) (definition.Permission, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state.Permission(user, vhost)
}

// Open gives a logged-in user access to a vhost.
func (m *Manager) Open(user, vhost string) (*Access, *amqp.Error) {
	v := m.VHost(vhost)
	if v == nil {
		return nil, noVHost(vhost)
	}
	a := &Access{m: m, vhost: v, user: user, id: m.accesses.Add(1)}
	if err := m.admit(a); err != nil {
		return nil, err
	}
	// Now that it may be found: who deletes the user meanwhile closes it, or is seen here.
	if _, ok := m.Permission(user, vhost); !ok {
		m.registry.leave(a)
		return nil, amqp.NewError(amqp.NotAllowed,
			"access to vhost '%s' refused for user '%s'", vhost, user)
	}
	return a, nil
}

// Connections returns how many accesses are open.
func (m *Manager) Connections() int { return m.registry.connections() }

// VHost returns the vhost of that name, or nil.
func (m *Manager) VHost(name string) *VHost {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.vhosts[name]
}

// VHosts returns the vhosts in the order of their names.
func (m *Manager) VHosts() []*VHost {
	m.mu.RLock()
	defer m.mu.RUnlock()
	list := make([]*VHost, 0, len(m.vhosts))
	for _, v := range m.vhosts {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b *VHost) int { return strings.Compare(a.name, b.name) })
	return list
}

// Notify calls w when the log is stable up to lsn; see store.Store.Notify.
func (m *Manager) Notify(w store.Waiter, lsn store.LSN) { m.store.Notify(w, lsn) }

// Wait returns when the log is stable up to lsn, or with the error that prevents it.
func (m *Manager) Wait(lsn store.LSN) error { return m.store.Wait(lsn) }
