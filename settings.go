package warren

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/pattern"
	"github.com/warrenmq/warren/internal/tlsconfig"
)

// Identity is what a node and its cluster are called. The zero value of a field means its default.
type Identity struct {
	// Node is the name of the node; default "warren@" and the name of the machine.
	Node string
	// Cluster is the name of the cluster; default that of the node. It is what an operator gave
	// the cluster with set_cluster_name, if somebody did.
	Cluster string
}

// Limits bound what clients and operators may have of something. The zero value of a field means
// its default, a negative one that there is no limit.
type Limits struct {
	// FrameMax is the largest frame offered to clients, in bytes; default 131072, between 8192 and
	// 524288.
	FrameMax uint32
	// ChannelMax is how many channels a connection may have; default 2047, at most 65535.
	ChannelMax uint16
	// Connections and Channels are how many the node may have open; default no limit. A client
	// that is one too many is told so. Options.ConnectionsMax is for connections that have not
	// logged in, too.
	Connections, Channels int
	// Consumers is how many consumers a channel may have; default no limit.
	Consumers int
	// VHosts, Queues and Exchanges are how many there may be of each, on the node; default no
	// limit. Those of AMQP itself, and exclusive queues, count too.
	VHosts, Queues, Exchanges int
}

// forBroker is what the broker makes of it.
func (l *Limits) forBroker() broker.NodeLimits {
	return broker.NodeLimits{
		Connections: l.Connections, Channels: l.Channels, ConsumersPerChannel: l.Consumers,
		Queues: l.Queues, Exchanges: l.Exchanges, VHosts: l.VHosts,
	}
}

// Access says who may log in, and how.
type Access struct {
	// LoopbackUsers may log in from this machine only; nil means guest. An empty list that is not
	// nil lets everybody in from everywhere.
	LoopbackUsers []string
	// Hashing is the algorithm that new passwords are hashed with; default argon2id. See the names
	// of internal/auth.
	Hashing string
	// Mechanisms are the SASL mechanisms offered, in this order; nil: all there are.
	Mechanisms []string
	// CertificateFrom says what of a client's certificate is the name of the user, for the
	// mechanism EXTERNAL: distinguished_name, the default, common_name or
	// subject_alternative_name. Of alternative names, SANType is the kind, dns by default, and
	// SANIndex which of them, from 0.
	CertificateFrom, SANType string
	SANIndex                 int
}

// TLS says where a listener speaks TLS, and how it proves who it is. The zero value is no TLS.
type TLS struct {
	// Listen are TCP addresses.
	Listen []string
	// CertFile, KeyFile and CAFile are PEM files: the certificate of the server with those between
	// it and its authority, its key, and the authorities that clients are trusted by. Files that
	// change are read again.
	CertFile, KeyFile, CAFile string
	// VerifyPeer asks clients for a certificate and judges it; RequirePeer refuses those without.
	VerifyPeer, RequirePeer bool
	// Depth is how many certificates may stand between that of a client and its authority; 0 means
	// ten, less than 0 none.
	Depth int
	// Versions are tlsv1.2 and tlsv1.3; default both.
	Versions []string
}

// Seed is what a node declares by itself. All but Users and VHost is applied to vhosts as they are
// made; what is there already is left alone.
type Seed struct {
	// VHost is the first vhost of a data directory that has none; default "/".
	VHost string
	// Tags are those of Options.DefaultUser; nil means administrator.
	Tags []string
	// Configure, Write and Read are its permissions on VHost; default ".*".
	Configure, Write, Read string
	// Users are made with the vhosts that match their pattern.
	Users []SeedUser
	// VHostLimits are those of new vhosts: of those whose pattern matches, the first by name.
	VHostLimits []SeedLimits
	// OperatorPolicies are put into new vhosts that match their pattern.
	OperatorPolicies []SeedPolicy
}

// SeedUser is a user that is made with the vhosts whose names match Pattern.
type SeedUser struct {
	Name, Password         string
	Pattern                string // of vhosts; default all
	Tags                   []string
	Configure, Write, Read string // default none
}

// SeedLimits are limits of vhosts whose names match Pattern. 0 is no limit.
type SeedLimits struct {
	Name                string
	Pattern             string
	Connections, Queues int64
}

// SeedPolicy is an operator policy for vhosts whose names match VHosts.
type SeedPolicy struct {
	Name       string
	VHosts     string // a pattern; default all
	Queues     string // a pattern; default all
	ApplyTo    string // default queues
	Definition map[string]any
}

// Import says what definitions are read when the node starts.
type Import struct {
	// Paths are files of definitions, or folders of them.
	Paths []string
	// URL is where definitions are fetched from; "" for nowhere.
	URL string
	// CertificateAuthority is a file with the certificates that URL is trusted by; "": the
	// system's.
	CertificateAuthority string
	// SkipUnchanged leaves out what was imported by an earlier start and is the same.
	SkipUnchanged bool
}

// Sockets are options of the sockets of clients. The zero value of a field leaves it to the system.
type Sockets struct {
	Backlog                   int  // connections that wait to be taken
	SendBuffer, ReceiveBuffer int  // in bytes
	Delay                     bool // small writes wait for more: Nagle's algorithm
	NoKeepAlive               bool // the system does not look whether silent peers are there
}

// Web says how the HTTP API is served. The zero value of a field means its default.
type Web struct {
	// Prefix stands before all paths, such as "/rabbitmq"; default none.
	Prefix string
	// BodyMax bounds the body of a request, in bytes; default 20 MB.
	BodyMax int64
	// Origins are the origins of pages that may use it from a browser; default none.
	Origins []string
	// Rates is none, basic or detailed; default basic.
	Rates string
	// Interval is the pause between samples of statistics; default 5 seconds.
	Interval time.Duration
	// DisableStats takes no samples and shows none. QueueTotals shows how many messages queues
	// have all the same.
	DisableStats, QueueTotals bool
	// Optional has the node start without it where its address is taken; that is logged.
	Optional bool
	// TLS is how it is served over HTTPS.
	TLS TLS
}

// Metrics says how metrics are served.
type Metrics struct {
	// Listen is the TCP address; default none. Port 0 takes a free port.
	Listen string
	// Path is where they are found; default "/metrics".
	Path string
	// PerObject has Path show each queue, connection and channel, not their sums.
	PerObject bool
	// Optional has the node start without them where the address is taken; that is logged.
	Optional bool
	// TLS is how they are served over HTTPS.
	TLS TLS
}

// Hooks are what the program around a node does for its operator, who asks the node. One that is
// nil is not there. They may be called concurrently.
type Hooks struct {
	// Reload reads the configuration again, and names what of it counts at the next start only.
	Reload func() (needRestart []string, err error)
	// SetLogLevel sets the least level that is logged: debug, info, warn, error.
	SetLogLevel func(level string) error
}

// validateParts says what is wrong with the options that are structs of their own.
func (o Options) validateParts() error {
	if f := o.Limits.FrameMax; f != 0 && (f < frameMaxLeast || f > frameMaxMost) {
		return fmt.Errorf("frames of at most %d bytes: not between %d and %d", f, frameMaxLeast,
			frameMaxMost)
	}
	patterns := []string{o.Seed.Configure, o.Seed.Write, o.Seed.Read}
	for _, u := range o.Seed.Users {
		if u.Name == "" {
			return errors.New("a default user has no name")
		}
		patterns = append(patterns, u.Pattern, u.Configure, u.Write, u.Read)
	}
	for _, l := range o.Seed.VHostLimits {
		patterns = append(patterns, l.Pattern)
	}
	for _, p := range o.Seed.OperatorPolicies {
		patterns = append(patterns, p.VHosts, p.Queues)
	}
	for _, text := range patterns {
		if _, err := pattern.Compile(text); err != nil {
			return fmt.Errorf("%q is not a regular expression", text)
		}
	}
	addresses := append([]string{o.Management, o.Metrics.Listen}, o.ListenMore...)
	for _, secure := range []TLS{o.TLS, o.Web.TLS, o.Metrics.TLS} {
		if len(secure.Listen) == 0 {
			continue
		}
		if err := secure.files().Validate(); err != nil {
			return err
		}
		addresses = append(addresses, secure.Listen...)
	}
	for _, address := range addresses {
		if address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("listen address %q: %w", address, err)
		}
	}
	return nil
}

// files is what package tlsconfig makes of it.
func (t TLS) files() tlsconfig.Options {
	return tlsconfig.Options{
		CertFile: t.CertFile, KeyFile: t.KeyFile, CAFile: t.CAFile, VerifyPeer: t.VerifyPeer,
		RequirePeer: t.RequirePeer, Depth: t.Depth, Versions: t.Versions,
	}
}

// What FrameMax may be: the handshake needs the least, and a door takes no more than the most.
const (
	frameMaxLeast = 8 << 10
	frameMaxMost  = 512 << 10
)
