package config

import (
	"math"
	"time"

	"github.com/warrenmq/warren"
)

// Keys is the table of all keys that have an effect here, in the order in which they are told.
// The caller may change what it gets.
func Keys() []Key {
	var keys []Key
	for _, section := range [][]Key{
		listenKeys(), userKeys(), limitKeys(), resourceKeys(), logKeys(),
	} {
		keys = append(keys, section...)
	}
	return keys
}

func listenKeys() []Key {
	return []Key{
		{Name: "data_dir", Type: words(), Default: "warren-data",
			Meaning: "directory that keeps everything durable",
			set:     func(s *Settings, _ []string, v value) { s.Options.DataDir = v.text }},
		{Name: "listeners.tcp.default", Type: address(), Default: "127.0.0.1:5672",
			unless: "listeners.tcp", Meaning: "where AMQP is served; a port is for all addresses",
			set: func(s *Settings, _ []string, v value) { s.Options.Listen = v.text }},
	}
}

func userKeys() []Key {
	return []Key{
		{Name: "default_user", Type: words(), Default: "guest",
			Meaning: "name of the first user of a data directory that has none",
			set:     func(s *Settings, _ []string, v value) { s.Options.DefaultUser = v.text }},
		{Name: "default_pass", Type: secret(), Default: "guest", Meaning: "its password",
			set: func(s *Settings, _ []string, v value) { s.Options.DefaultPassword = v.text }},
	}
}

func limitKeys() []Key {
	return []Key{
		{Name: "heartbeat", Type: timeOf(time.Second, math.MaxUint16), Default: "60",
			Meaning: "what is offered to clients, which may choose less, or none",
			set: func(s *Settings, _ []string, v value) {
				s.Options.Heartbeat = v.duration()
			}},
		{Name: "handshake_timeout", Type: timeOf(time.Millisecond, math.MaxInt32),
			Default: "10000", Meaning: "how long a client may take to log in and open its vhost",
			set: func(s *Settings, _ []string, v value) {
				s.Options.HandshakeTimeout = v.duration()
			}},
		{Name: "max_message_size", Type: integer(1, 512<<20), Default: "134217728",
			Meaning: "bytes of the largest body that is taken",
			set: func(s *Settings, _ []string, v value) {
				s.Options.MessageMax = uint64(v.number)
			}},
	}
}

func resourceKeys() []Key {
	memory := func(s *Settings, _ []string, v value) {
		s.Options.MemoryHighWatermark = amount(v)
	}
	disk := func(s *Settings, _ []string, v value) { s.Options.DiskFreeLimit = amount(v) }
	return []Key{
		{Name: "vm_memory_high_watermark.relative", Type: fraction(), Default: "0.6",
			unless: "vm_memory_high_watermark.", set: memory,
			Meaning: "part of the memory above which publishers are blocked"},
		{Name: "vm_memory_high_watermark.absolute", Type: bytes(), set: memory,
			Meaning: "the same as an amount"},
		{Name: "disk_free_limit.relative", Type: fraction(), set: disk,
			Meaning: "the least that has to be free on the disk, as a part of the memory"},
		{Name: "disk_free_limit.absolute", Type: bytes(), Default: "50MB",
			unless: "disk_free_limit.", set: disk, Meaning: "the same as an amount"},
		{Name: "log_file_size", Type: bytes(),
			Meaning: "size at which the log of messages begins a new file, 64KiB to 1GiB; " +
				"default 64MiB, on small disks a sixteenth of what is free, at least 1MiB",
			set: func(s *Settings, _ []string, v value) { s.Options.LogFileBytes = v.number }},
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

func logKeys() []Key {
	return []Key{
		{Name: "log.level", Also: "log.console.level", Default: "info",
			Type: oneOf("debug", "info", "warn", "error"), Meaning: "least level that is logged",
			set: func(s *Settings, _ []string, v value) { s.Log.Level = v.text }},
	}
}
