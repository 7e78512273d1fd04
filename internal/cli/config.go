package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren"
)

// config is what a configuration file says: lines `key = value` with RabbitMQ's keys, `#`
// begins a comment.
type config struct {
	listen, user, password, logLevel string
	heartbeat, handshakeTimeout      time.Duration
	messageMax                       uint64
	memory, disk, logFile            warren.Amount
}

// configLineMax is the longest line of a configuration file.
const configLineMax = 64 << 10

func readConfig(path string) (*config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseConfig(path, file)
}

func parseConfig(name string, r io.Reader) (*config, error) {
	c := &config{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, configLineMax)
	for number := 1; lines.Scan(); number++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found {
			return nil, fmt.Errorf("%s:%d: %q is not of the form key = value", name, number, line)
		}
		if err := c.set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	return c, lines.Err()
}

// set takes one key.
func (c *config) set(key, value string) (err error) {
	switch key {
	case "listeners.tcp.default", "listeners.tcp.1":
		c.listen = value
		if _, number := strconv.ParseUint(value, 10, 16); number == nil {
			c.listen = net.JoinHostPort("", value)
		}
	case "default_user":
		c.user = value
	case "default_pass":
		c.password = value
	case "log.level", "log.console.level":
		c.logLevel = value
	case "heartbeat":
		c.heartbeat, err = count(value, time.Second)
	case "handshake_timeout":
		c.handshakeTimeout, err = count(value, time.Millisecond)
	case "max_message_size":
		c.messageMax, err = strconv.ParseUint(value, 10, 63)
	case "vm_memory_high_watermark.relative":
		c.memory, err = relative(value)
	case "vm_memory_high_watermark.absolute":
		c.memory, err = absolute(value)
	case "log_file_size":
		c.logFile, err = absolute(value)
	case "disk_free_limit.relative":
		c.disk, err = relative(value)
	case "disk_free_limit.absolute":
		c.disk, err = absolute(value)
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	if err != nil {
		return fmt.Errorf("%s: %q is not a number", key, value)
	}
	return nil
}

// countMax keeps a number of units far from overflowing a duration.
const countMax = 1 << 31

func count(value string, unit time.Duration) (time.Duration, error) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n > countMax {
		return 0, fmt.Errorf("out of range")
	}
	return time.Duration(n) * unit, nil
}

// options puts what the file says over o.
func (c *config) options(o warren.Options) warren.Options {
	o.Listen = c.listen
	if c.user != "" {
		o.DefaultUser, o.DefaultPassword = c.user, c.password
	}
	o.Heartbeat = c.heartbeat
	o.HandshakeTimeout = c.handshakeTimeout
	o.MessageMax = c.messageMax
	o.MemoryHighWatermark, o.DiskFreeLimit = c.memory, c.disk
	o.LogFileBytes = int64(c.logFile.Bytes)
	return o
}
