package warren

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/warrenmq/warren/internal/store"
)

// Options says how a node runs. The zero value of a field means its default.
type Options struct {
	// DataDir is the directory that keeps everything durable; default "warren-data" in the
	// working directory. It is made if missing. One node uses a directory at a time.
	DataDir string
	// Listen is the TCP address for AMQP; default "127.0.0.1:5672". Port 0 takes a free port,
	// see Node.Addr.
	Listen string
	// Management is the TCP address for the HTTP API; default none. Port 0 takes a free port, see
	// Node.ManagementAddr.
	Management string
	// DefaultUser and DefaultPassword are the first user of a data directory that has none,
	// with all permissions on the vhost "/"; default guest and guest. A user named guest may
	// log in from this machine only.
	DefaultUser, DefaultPassword string
	// Heartbeat is the interval offered to clients; default 60 seconds.
	Heartbeat time.Duration
	// HandshakeTimeout is how long a client may take to log in and open its vhost; default 10
	// seconds.
	HandshakeTimeout time.Duration
	// MessageMax is the largest message body taken, in bytes; default 128 MiB.
	MessageMax uint64
	// ConnectionsMax is how many AMQP connections may be open at once; default about a
	// million. More are closed as they come.
	ConnectionsMax int
	// MemoryHighWatermark and DiskFreeLimit say when connections that publish are blocked: more
	// memory is used, or less of the disk is free. The defaults are 0.6 of the memory that the
	// process may use (the least of GOMEMLIMIT, its control group's limit and the machine's
	// memory), and 50 MB.
	MemoryHighWatermark, DiskFreeLimit Amount
	// LogFileBytes is the size at which a new file of the log of messages begins. Larger files
	// mean less copying of messages that stay long, and a longer start after a crash. It is
	// between 64 KiB and 1 GiB; default 64 MiB, or a sixteenth of the free disk if that is less,
	// but at least 1 MiB.
	LogFileBytes int64
	// ListenMore are more addresses that AMQP is served on, beside Listen.
	ListenMore []string
	// MemoryTotal is how much memory relative amounts are a part of, in bytes; 0: what the process
	// may use.
	MemoryTotal uint64
	// ConsumerTimeout is how long a consumer may keep a message, where neither queue nor policy
	// says so; default for ever.
	ConsumerTimeout time.Duration
	// DefaultQueueType is the type of queues that are declared without one, in vhosts that have no
	// default of their own; default classic.
	DefaultQueueType string
	// ConfigFiles and LogFiles are what operators are told when they ask where the configuration
	// is from, and where Logger writes to; they are not opened.
	ConfigFiles, LogFiles []string
	// TLS is how AMQP is served over TLS. What follows is said at the types, too.
	TLS      TLS
	Identity Identity
	Limits   Limits
	Access   Access
	Seed     Seed
	Import   Import
	Sockets  Sockets
	Web      Web
	Metrics  Metrics
	Tracing  Tracing
	Hooks    Hooks
	// Logger takes what an operator should know; default: nobody is told.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.DataDir == "" {
		o.DataDir = "warren-data"
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:5672"
	}
	if o.DefaultUser == "" {
		o.DefaultUser, o.DefaultPassword = "guest", "guest"
	}
	if o.MemoryHighWatermark == (Amount{}) {
		o.MemoryHighWatermark.Relative = memoryHighWatermark
	}
	if o.DiskFreeLimit == (Amount{}) {
		o.DiskFreeLimit.Bytes = diskFreeLimit
	}
	if o.Identity.Node == "" {
		o.Identity.Node = nodeName()
	}
	if o.Identity.Cluster == "" {
		o.Identity.Cluster = o.Identity.Node
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// logFileBytesMin is the smallest LogFileBytes: with less, nearly every write would begin a file.
const logFileBytesMin = 64 << 10

// heartbeatMax is the longest interval the wire can name.
const heartbeatMax = 65535 * time.Second

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	if o.Heartbeat < 0 || o.Heartbeat > heartbeatMax {
		return fmt.Errorf("heartbeat %v is not between 0 and %v", o.Heartbeat, heartbeatMax)
	}
	if o.HandshakeTimeout < 0 || o.ConnectionsMax < 0 {
		return errors.New("a timeout or limit is negative")
	}
	if o.MemoryHighWatermark.Relative < 0 || o.DiskFreeLimit.Relative < 0 {
		return errors.New("a part of the memory is negative")
	}
	if n := o.LogFileBytes; n != 0 && (n < logFileBytesMin || n > store.FileBytesLimit) {
		return fmt.Errorf("log files of %d bytes are not between %d and %d", n,
			logFileBytesMin, store.FileBytesLimit)
	}
	if o.Listen != "" {
		if _, _, err := net.SplitHostPort(o.Listen); err != nil {
			return fmt.Errorf("listen address %q: %w", o.Listen, err)
		}
	}
	if o.Tracing.Endpoint != "" {
		if _, err := o.Tracing.options(&o); err != nil {
			return err
		}
	}
	return o.validateParts()
}
