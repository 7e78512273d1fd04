package rabbitmqctl

import (
	"cmp"
	"crypto/tls"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
)

// runtimeVerbs tell about the machine and the program.
func runtimeVerbs() []*verb {
	return []*verb{
		{name: "force_gc", banner: saying(
			"Will ask all processes on node %n to schedule a full sweep GC"), do: collect},
		{name: "suspend_listeners", do: func(t *task) error {
			return t.client.Post(t.ctx, "/warren/listeners/suspend", nil, nil)
		}, banner: saying("Will suspend client connection listeners on node %n. " +
			"The node will no longer accept client connections!")},
		{name: "resume_listeners", do: func(t *task) error {
			return t.client.Post(t.ctx, "/warren/listeners/resume", nil, nil)
		}, banner: saying("Will resume client connection listeners on node %n. " +
			"The node will now accept client connections")},
		{name: "erlang_version", needs: either, options: []option{
			text("details", ""), flag("offline", ""),
		}, banner: saying("Asking node %n for its Erlang/OTP version..."), do: erlangVersion},
		{name: "server_version", banner: saying("Asking node %n for its RabbitMQ version..."),
			do: func(t *task) error {
				o, err := t.getObject("/overview")
				if err != nil {
					return err
				}
				return t.message("%s", o.text("rabbitmq_version"))
			}},
		{name: "tls_versions", needs: nothing, do: tlsVersions, banner: saying(
			"Listing all TLS versions supported by the runtime...")},
		{name: "cipher_suites", needs: nothing, do: cipherSuites,
			options: []option{text("format", ""), flag("all", "")},
			banner:  saying("Listing available cipher suites in OpenSSL format")},
		{name: "os_env", needs: nothing, do: environment, banner: saying(
			"Listing RabbitMQ-specific environment variables defined on this machine...")},
		{name: "resolve_hostname", min: 1, max: 1, needs: nothing, do: resolve,
			options: []option{text("address-family", ""), flag("offline", "")},
			banner: func(t *task) string {
				family := "IPv4"
				if strings.EqualFold(t.options.text("address-family"), "ipv6") {
					family = "IPv6"
				}
				return "Resolving hostname " + t.args[0] + " to " + family + " addresses..."
			}},
		{name: "list_network_interfaces", needs: nothing, do: interfaces,
			options: []option{flag("offline", "")},
			banner:  saying("Listing the network interfaces of this machine ...")},
		{name: "discover_peers", banner: saying("Discovering peers nodes ..."),
			do: func(t *task) error { return t.message("No peers discovered") }},
		{name: "metadata_store_status", banner: saying(
			"Asking node %n for the status of its metadata store ..."),
			do: func(t *task) error {
				return t.message("What is declared is kept in the node's own log")
			}},
	}
}

func collect(t *task) error { return t.client.Post(t.ctx, "/warren/collect-garbage", nil, nil) }

// runtimeOf is what runs the node, for all verbs that tell of Erlang: that there is none, and the
// version of Go. Of a RabbitMQ it is Erlang's.
func runtimeOf(overview object) string {
	return cmp.Or(overview.text("erlang_full_version"), overview.text("erlang_version"))
}

// erlangVersion is that of Go: the node has no other.
func erlangVersion(t *task) error {
	o, err := t.getObject("/overview")
	if err != nil {
		return err
	}
	return t.message("%s", runtimeOf(o))
}

func tlsVersions(t *task) error {
	return t.message("tlsv1.3\ntlsv1.2")
}

func cipherSuites(t *task) error {
	var names []string
	for _, suite := range tls.CipherSuites() {
		names = append(names, suite.Name)
	}
	return t.message("%s", strings.Join(names, "\n"))
}

// environment lists variables of this process: those of the node are its own.
func environment(t *task) error {
	var list []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		secret := strings.Contains(name, "PASS") || strings.Contains(name, "COOKIE")
		if strings.HasPrefix(name, "RABBITMQ_") || strings.HasPrefix(name, "WARREN_") {
			if secret {
				variable = name + "=[redacted]"
			}
			list = append(list, variable)
		}
	}
	slices.Sort(list)
	return t.message("%s", strings.Join(list, "\n"))
}

func resolve(t *task) error {
	family := "ip4"
	if strings.EqualFold(t.options.text("address-family"), "ipv6") {
		family = "ip6"
	}
	addresses, err := new(net.Resolver).LookupNetIP(t.ctx, family, t.args[0])
	if err != nil {
		return fail(exitData, "Hostname does not resolve (resolution failed with an nxdomain)")
	}
	lines := make([]string, len(addresses))
	for i, a := range addresses {
		lines[i] = a.Unmap().String()
	}
	return t.message("%s", strings.Join(lines, "\n"))
}

func interfaces(t *task) error {
	list, err := net.Interfaces()
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, i := range list {
		out.WriteString(bold("Interface "+i.Name) + "\n\n")
		if len(i.HardwareAddr) > 0 {
			out.WriteString("hwaddr: " + i.HardwareAddr.String() + "\n")
		}
		addresses, err := i.Addrs()
		if err != nil {
			return err
		}
		for _, a := range addresses {
			out.WriteString("addr: " + a.String() + "\n")
		}
		out.WriteString("flags: " + strings.ReplaceAll(i.Flags.String(), "|", ", ") + "\n\n\n")
	}
	return t.message("%s", strings.TrimRight(out.String(), "\n"))
}

// systemName is the system as RabbitMQ writes it.
func systemName() string {
	switch runtime.GOOS {
	case "linux":
		return "Linux"
	case "darwin":
		return "macOS"
	case "windows":
		return "Windows"
	}
	return runtime.GOOS
}
