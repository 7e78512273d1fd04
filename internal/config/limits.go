package config

import (
	"math"
	"time"

	"github.com/warrenmq/warren"
)

// unlimited is a limit that does not limit.
const unlimited = -1

// most is a limit of options: infinity is none.
func most(v value) int {
	if v.infinite {
		return unlimited
	}
	return int(v.number)
}

func limitKeys() []Key {
	count := orInfinity(integer(1, math.MaxInt32))
	limits := func(f func(*warren.Limits, value)) func(*Settings, value) {
		return func(s *Settings, v value) { f(&s.Options.Limits, v) }
	}
	return []Key{
		{Name: "max_message_size", Type: integer(1, 512<<20), Default: "134217728",
			Meaning: "bytes of the largest body that is taken",
			set:     func(s *Settings, v value) { s.Options.MessageMax = uint64(v.number) }},
		{Name: "frame_max", Type: bytes(), Default: "131072",
			Meaning: "bytes of the largest frame, as offered to clients, 8192 to 524288",
			set: limits(func(l *warren.Limits, v value) {
				l.FrameMax = uint32(min(v.number, math.MaxUint32))
			})},
		{Name: "channel_max", Also: "max_channels", Type: integer(0, math.MaxUint16),
			Default: "2047", Meaning: "channels of a connection; 0 is 65535",
			set: limits(func(l *warren.Limits, v value) {
				l.ChannelMax = uint16(v.number)
				if v.number == 0 {
					l.ChannelMax = math.MaxUint16
				}
			})},
		{Name: "channel_max_per_node", Type: count, Default: "infinity", Reload: true,
			Meaning: "channels of all connections",
			set:     limits(func(l *warren.Limits, v value) { l.Channels = most(v) })},
		{Name: "consumer_max_per_channel", Type: count, Default: "infinity", Reload: true,
			Meaning: "consumers of a channel",
			set:     limits(func(l *warren.Limits, v value) { l.Consumers = most(v) })},
		{Name: "connection_max", Also: "max_connections", Reload: true,
			Type: orInfinity(integer(0, math.MaxInt32)), Default: "infinity",
			Meaning: "connections that have logged in",
			set:     limits(func(l *warren.Limits, v value) { l.Connections = most(v) })},
		{Name: "ranch_connection_max", Type: orInfinity(integer(1, math.MaxInt32)),
			Default: "infinity",
			Meaning: "connections, also before they log in; files of the process bound them too",
			set: func(s *Settings, v value) {
				s.Options.ConnectionsMax = max(most(v), 0)
			}},
		{Name: "vhost_max", Type: count, Default: "infinity", Reload: true, Meaning: "vhosts",
			set: limits(func(l *warren.Limits, v value) { l.VHosts = most(v) })},
		{Name: "cluster_queue_limit", Type: count, Default: "infinity", Reload: true,
			Meaning: "queues", set: limits(func(l *warren.Limits, v value) { l.Queues = most(v) })},
		{Name: "cluster_exchange_limit", Type: count, Default: "infinity", Reload: true,
			Meaning: "exchanges",
			set:     limits(func(l *warren.Limits, v value) { l.Exchanges = most(v) })},
		{Name: "consumer_timeout", Type: timeOf(time.Millisecond, math.MaxInt32),
			Meaning: "how long a consumer may keep a message, where neither queue nor policy " +
				"says so; default for ever",
			set: func(s *Settings, v value) { s.Options.ConsumerTimeout = v.duration() }},
		{Name: "default_queue_type", Type: oneOf("classic", "quorum"),
			Meaning: "type of queues that are declared without one, which then have it as an " +
				"argument; default classic, without that",
			set: func(s *Settings, v value) { s.Options.DefaultQueueType = v.text }},
	}
}

func resourceKeys() []Key {
	memory := func(s *Settings, v value) { s.Options.MemoryHighWatermark = amount(v) }
	disk := func(s *Settings, v value) { s.Options.DiskFreeLimit = amount(v) }
	return []Key{
		{Name: "data_dir", Type: anyText(), Default: "warren-data",
			Meaning: "directory that keeps everything durable",
			set:     func(s *Settings, v value) { s.Options.DataDir = v.text }},
		{Name: "vm_memory_high_watermark.relative", Type: fraction(), Default: "0.6",
			unless: "vm_memory_high_watermark.", set: memory, Reload: true,
			Meaning: "part of the memory above which publishers are blocked"},
		{Name: "vm_memory_high_watermark.absolute", Type: bytes(), set: memory, Reload: true,
			Meaning: "the same as an amount"},
		{Name: "total_memory_available_override_value", Type: bytes(),
			Meaning: "how much memory there is; default what the process may use",
			set:     func(s *Settings, v value) { s.Options.MemoryTotal = uint64(v.number) }},
		{Name: "disk_free_limit.relative", Type: fraction(), set: disk, Reload: true,
			Meaning: "the least that has to be free on the disk, as a part of the memory"},
		{Name: "disk_free_limit.absolute", Type: bytes(), Default: "50MB", Reload: true,
			unless: "disk_free_limit.", set: disk, Meaning: "the same as an amount"},
		{Name: "log_file_size", Type: bytes(),
			Meaning: "size at which the log of messages begins a new file, 64KiB to 1GiB; " +
				"default 64MiB, on small disks a sixteenth of what is free, at least 1MiB",
			set: func(s *Settings, v value) { s.Options.LogFileBytes = v.number }},
	}
}

// amount is a fraction or a number of bytes. A zero amount is the default, so that no bytes are
// one byte.
func amount(v value) warren.Amount {
	if v.part != 0 {
		return warren.Amount{Relative: v.part}
	}
	return warren.Amount{Bytes: uint64(max(v.number, 1))}
}

func nameKeys() []Key {
	return []Key{
		{Name: "node_name", Type: anyText(),
			Meaning: "name of the node; default warren@ and the host",
			set:     func(s *Settings, v value) { s.Options.Identity.Node = v.text }},
		{Name: "cluster_name", Type: anyText(),
			Meaning: "name of the cluster, until somebody sets another; default that of the node",
			set:     func(s *Settings, v value) { s.Options.Identity.Cluster = v.text }},
		{Name: "node_tags.$tag", Type: anyText(), Meaning: "what is said of the node",
			Ignored: "nobody is shown them", set: nothing},
	}
}
