package config

import (
	"cmp"
	"log/slog"
	"net"
	"slices"

	"github.com/warrenmq/warren"
)

// Settings are what a configuration means.
type Settings struct {
	// Options are those of the node; the caller sets the logger.
	Options warren.Options
	// Log says what is logged, and where to.
	Log Log

	management, prometheus web
}

// Log says what is logged, and where to.
type Log struct {
	Console Output
	File    Output
	// Path is the file, absolute or in Dir; "" for none.
	Path, Dir string
	Rotation  Rotation
}

// Output is one place that lines go to.
type Output struct {
	On     bool
	Level  slog.Level // the least that is written
	JSON   bool
	Stdout bool // of the console
}

// Rotation says when a file of the log is put aside and a new one begins.
type Rotation struct {
	Size  int64 // in bytes; 0: whatever its size
	Count int   // how many are kept beside the one that is written; 0: none
	Date  Date
}

// web is where something is served by HTTP, as its keys say, which have address and port apart.
type web struct {
	listen, ip, port     string
	given                bool // ip or port
	secureIP, securePort string
	legacyTLS            bool
}

// Settings returns what all of it means: first the defaults, then what was given, in the order of
// the table and, within a row, of numbers and names.
func (c *Config) Settings() Settings {
	var s Settings
	for _, d := range c.defaults() {
		if d.Key.set != nil {
			d.Key.set(&s, d.value)
		}
	}
	given := c.Given()
	slices.SortStableFunc(given, func(a, b Setting) int {
		// auth_mechanisms.10 comes after auth_mechanisms.9.
		return cmp.Compare(len(a.Name), len(b.Name))
	})
	for i := range c.table.keys {
		row := &c.table.keys[i]
		for _, g := range given {
			if g.Key == row && row.set != nil {
				row.set(&s, g.value)
			}
		}
	}
	s.finish()
	// An address that nobody asked for is not worth a refusal to start.
	s.Options.Web.Optional = !c.given("management.")
	s.Options.Metrics.Optional = !c.given("prometheus.")
	return s
}

// finish puts together what several keys say.
func (s *Settings) finish() {
	o := &s.Options
	if len(o.ListenMore) > 0 && o.Listen == "" {
		o.Listen, o.ListenMore = o.ListenMore[0], o.ListenMore[1:]
	}
	o.Management = s.management.address("15672")
	o.Metrics.Listen = s.prometheus.address("15692")
	o.Web.TLS.Listen = s.management.secure("15671")
	o.Metrics.TLS.Listen = s.prometheus.secure("15691")
	if s.management.legacyTLS {
		o.Web.TLS.Listen, o.Management = []string{o.Management}, ""
	}
}

// address is where plain HTTP is served; "" for nowhere.
func (w *web) address(port string) string {
	if !w.given {
		return w.listen
	}
	return net.JoinHostPort(w.ip, cmp.Or(w.port, port))
}

// secure is where HTTPS is served.
func (w *web) secure(port string) []string {
	if w.secureIP == "" && w.securePort == "" {
		return nil
	}
	return []string{net.JoinHostPort(w.secureIP, cmp.Or(w.securePort, port))}
}
