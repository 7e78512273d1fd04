package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/protocol/control"
)

// The rows of the tables. The bare ones are no brokers: they say what the machine costs.
const (
	warrenName = "warren"
	rabbitName = "RabbitMQ"
	quorumName = "RabbitMQ quorum"
	garageName = "GarageMQ"
	natsName   = "NATS core"
	jetName    = "NATS JetStream"
	syncName   = "NATS JetStream, sync always"
	relayName  = "bare relay"
	bareName   = "bare disk and loopback"
)

// peer says how to start one make of broker.
type peer struct {
	name   string
	scheme string // of its URI
	// args are for `warren perf`, wherever queues are declared.
	args []string
	// command returns what to run, with all data below dir, listening on 127.0.0.1:port.
	command func(dir string, port int) (*exec.Cmd, error)
	// probe connects, and returns product and version of the broker that answers.
	probe func(ctx context.Context, address string) (string, error)
	// pidFile is where the broker, below dir, writes its process; "": it is the command's.
	pidFile string
	// deaf brokers do not end when they are told to, and are killed.
	deaf bool
	// addVHosts makes so many vhosts on a running broker, named as vhostName says.
	addVHosts func(ctx context.Context, b *broker, count int) error
	// after cleans up what outlives the broker.
	after func() error
}

// vhostName names the vhosts of the case with many queues.
const vhostName = "bench-%d"

// peers lists all. A peer whose program is not there fails where it is used, and that is said.
func peers(s settings) []peer {
	relay := peer{
		name: relayName, scheme: "relay", probe: probeRelay,
		command: func(_ string, port int) (*exec.Cmd, error) {
			self, err := os.Executable()
			return exec.Command(self, "relay", address(port)), err
		},
	}
	quorum := rabbit(s.RabbitMQ)
	quorum.name, quorum.args = quorumName, []string{"--quorum-queue"}
	return []peer{
		{name: bareName}, relay, ownBroker(s.Warren), rabbit(s.RabbitMQ), quorum,
		garage(s.GarageMQ), nats(s.NATS, natsName, ""),
		nats(s.NATS, jetName, "jetstream { store_dir: %q }\n"),
		nats(s.NATS, syncName, "jetstream { store_dir: %q, sync_interval: always }\n"),
	}
}

func ownBroker(binary string) peer {
	return peer{
		name: warrenName, scheme: "amqp", probe: probeAMQP,
		command: func(dir string, port int) (*exec.Cmd, error) {
			return exec.Command(binary, "serve", "--data", filepath.Join(dir, "data"),
				"--listen", address(port), "--log-level", "warn"), nil
		},
		addVHosts: func(ctx context.Context, b *broker, count int) error {
			api, err := apiclient.New(apiclient.Options{
				Dial: control.Dialer(filepath.Join(b.dir, "data")),
			})
			if err != nil {
				return err
			}
			defer api.Close()
			for n := range count {
				name := fmt.Sprintf(vhostName, n+1)
				if err := api.Put(ctx, apiclient.Path("vhosts", name), nil); err != nil {
					return err
				}
				err := api.Put(ctx, apiclient.Path("permissions", name, "guest"),
					map[string]string{"configure": ".*", "write": ".*", "read": ".*"})
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// rabbit runs RabbitMQ without plugins, as a node of its own with its own port mapper.
func rabbit(script string) peer {
	var mapper int
	environment := func(dir string) []string {
		return []string{
			"HOME=" + dir,
			"RABBITMQ_NODENAME=bench@localhost",
			"ERL_EPMD_ADDRESS=127.0.0.1",
			"ERL_EPMD_PORT=" + strconv.Itoa(mapper),
		}
	}
	return peer{
		name: rabbitName, scheme: "amqp", probe: probeAMQP, pidFile: "pid",
		command: func(dir string, port int) (*exec.Cmd, error) {
			var dist int
			for _, p := range []*int{&mapper, &dist} {
				var err error
				if *p, err = freePort(); err != nil {
					return nil, err
				}
			}
			plugins := filepath.Join(dir, "plugins")
			if err := os.WriteFile(plugins, []byte("[].\n"), 0o600); err != nil {
				return nil, err
			}
			c := exec.Command(script)
			c.Env = append(environment(dir),
				"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
				"RABBITMQ_NODE_PORT="+strconv.Itoa(port),
				"RABBITMQ_DIST_PORT="+strconv.Itoa(dist),
				"RABBITMQ_MNESIA_BASE="+filepath.Join(dir, "mnesia"),
				"RABBITMQ_LOG_BASE="+filepath.Join(dir, "log"),
				"RABBITMQ_PID_FILE="+filepath.Join(dir, "pid"),
				"RABBITMQ_ENABLED_PLUGINS_FILE="+plugins)
			return c, nil
		},
		addVHosts: func(ctx context.Context, b *broker, count int) error {
			// One call: each run of rabbitmqctl starts an Erlang machine.
			add := fmt.Sprintf(`[begin V = list_to_binary("bench-" ++ integer_to_list(N)),`+
				` ok = rabbit_vhost:add(V, <<"bench">>),`+
				` rabbit_auth_backend_internal:set_permissions(<<"guest">>, V,`+
				` <<".*">>, <<".*">>, <<".*">>, <<"bench">>) end`+
				` || N <- lists:seq(1, %d)], ok.`, count)
			c := exec.CommandContext(ctx, filepath.Join(filepath.Dir(script), "rabbitmqctl"),
				"-n", "bench@localhost", "eval", add)
			c.Env = append(os.Environ(), environment(b.dir)...)
			if out, err := c.CombinedOutput(); err != nil {
				return fmt.Errorf("rabbitmqctl: %w: %s", err, out)
			}
			return nil
		},
		after: func() error {
			return exec.Command("epmd", "-port", strconv.Itoa(mapper), "-kill").Run()
		},
	}
}

// garageConfig is what Debian installs, but for addresses and the place of the data.
const garageConfig = "/etc/garagemq/config.yaml"

func garage(binary string) peer {
	return peer{
		name: garageName, scheme: "amqp", probe: probeAMQP, deaf: true,
		command: func(dir string, port int) (*exec.Cmd, error) {
			stock, err := os.ReadFile(garageConfig)
			if err != nil {
				return nil, err
			}
			admin, err := freePort()
			if err != nil {
				return nil, err
			}
			text := string(stock)
			for old, replacement := range map[string]string{
				"port: 5672": "port: " + strconv.Itoa(port), "port: 15672": "port: " +
					strconv.Itoa(admin), "/var/lib/garagemq/db": filepath.Join(dir, "db"),
			} {
				if !strings.Contains(text, old) {
					return nil, fmt.Errorf("%s does not say %q", garageConfig, old)
				}
				text = strings.Replace(text, old, replacement, 1)
			}
			file := filepath.Join(dir, configName)
			return exec.Command(binary, "--config", file),
				os.WriteFile(file, []byte(text), 0o600)
		},
	}
}

// configName is the file below a broker's directory whose text is put into the result.
const configName = "config"

func nats(binary, name, jetStream string) peer {
	return peer{
		name: name, scheme: "nats", probe: probeNATS,
		command: func(dir string, port int) (*exec.Cmd, error) {
			text := fmt.Sprintf("listen: %q\n", address(port))
			if jetStream != "" {
				text += fmt.Sprintf(jetStream, filepath.Join(dir, "data"))
			}
			file := filepath.Join(dir, configName)
			return exec.Command(binary, "-c", file), os.WriteFile(file, []byte(text), 0o600)
		},
	}
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort returns a port that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// uriOf is where a peer listens.
func (p peer) uriOf(port int) string { return p.scheme + "://" + address(port) }
