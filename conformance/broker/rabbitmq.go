package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/warrenmq/warren/conformance/process"
)

// rabbitmqFolder is where Debian keeps RabbitMQ's programs. Those in the PATH there are wrappers
// that insist on the system's own node.
const rabbitmqFolder = "/usr/lib/rabbitmq/bin"

// ManagementPlugin is RabbitMQ's plugin for the HTTP API.
const ManagementPlugin = "rabbitmq_management"

func rabbitmqProgram(name string) (string, error) {
	path := filepath.Join(rabbitmqFolder, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return exec.LookPath(name)
}

// missingForRabbitMQ returns the Debian packages that StartRabbitMQ needs and does not find.
func missingForRabbitMQ() []string {
	var missing []string
	for _, program := range []string{"rabbitmq-server", "rabbitmqctl"} {
		if _, err := rabbitmqProgram(program); err != nil {
			missing = append(missing, "rabbitmq-server")
			break
		}
	}
	if _, err := exec.LookPath("epmd"); err != nil {
		missing = append(missing, "erlang-base")
	}
	return missing
}

// StartRabbitMQ starts a RabbitMQ with the given vhosts, which guest may use, and its own port
// mapper, all in folder. It returns when clients are welcome; ErrMissing says that the machine has
// no RabbitMQ. It runs with the given plugins; with ManagementPlugin it serves the HTTP API.
func StartRabbitMQ(
	ctx context.Context, folder string, vhosts []string, plugins ...string,
) (*Broker, error) {
	if missing := missingForRabbitMQ(); len(missing) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrMissing, strings.Join(missing, ", "))
	}
	server, err := rabbitmqProgram("rabbitmq-server")
	if err != nil {
		return nil, err
	}
	control, err := rabbitmqProgram("rabbitmqctl")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	amqpPort, nodePort, mapperPort := ports[0], ports[1], ports[2]
	if err := writeSettings(folder, vhosts, plugins, ports[3]); err != nil {
		return nil, err
	}
	environment := rabbitmqEnvironment(folder, amqpPort, nodePort, mapperPort)

	b := &Broker{name: "rabbitmq", address: "127.0.0.1:" + amqpPort}
	if slices.Contains(plugins, ManagementPlugin) {
		b.management = "127.0.0.1:" + ports[3]
	}
	b.tool = func(name string, args []string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(filepath.Dir(control), name), args...)
		cmd.Env = environment
		return cmd
	}
	b.command = func(args []string) *exec.Cmd {
		cmd := exec.Command(control, args...)
		cmd.Env = environment
		return cmd
	}
	mapper := exec.Command("epmd", "-address", "127.0.0.1", "-port", mapperPort)
	if err := b.start("epmd", mapper); err != nil {
		return nil, err
	}
	node := exec.Command(server)
	node.Env, node.Dir = environment, folder
	if err := b.start("rabbitmq-server", node); err != nil {
		b.Stop()
		return nil, err
	}
	err = b.parts[1].WaitFor(ctx, "that its startup is complete", func(lines []string) bool {
		return slices.ContainsFunc(lines, func(line string) bool {
			return strings.Contains(line, "Server startup complete")
		})
	})
	if err != nil {
		b.Stop()
		return nil, err
	}
	return b, nil
}

func (b *Broker) start(name string, cmd *exec.Cmd) error {
	part, err := process.Start(name, cmd)
	if err != nil {
		return err
	}
	b.parts = append(b.parts, part)
	return nil
}

// rabbitmqEnvironment keeps everything of the node in folder and away from the system's node.
func rabbitmqEnvironment(folder, amqpPort, nodePort, mapperPort string) []string {
	inFolder := func(name string) string { return filepath.Join(folder, name) }
	return append(os.Environ(),
		"HOME="+folder, // the Erlang cookie
		"LANG="+cmp.Or(os.Getenv("LANG"), "C.UTF-8"),
		fmt.Sprintf("RABBITMQ_NODENAME=conformance-%d-%s@localhost", os.Getpid(), amqpPort),
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_NODE_PORT="+amqpPort,
		"RABBITMQ_DIST_PORT="+nodePort,
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"ERL_EPMD_PORT="+mapperPort,
		"RABBITMQ_MNESIA_BASE="+inFolder("mnesia"),
		"RABBITMQ_LOG_BASE="+inFolder("log"),
		"RABBITMQ_LOGS=-",
		"RABBITMQ_PID_FILE="+inFolder("pid"),
		"RABBITMQ_CONFIG_FILE="+inFolder("rabbitmq"),
		"RABBITMQ_CONF_ENV_FILE="+inFolder("rabbitmq-env.conf"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+inFolder("enabled_plugins"),
	)
}

// writeSettings writes the node's configuration: at its start it imports the definitions of the
// vhosts, which saves a slow command for each.
func writeSettings(folder string, vhosts, plugins []string, managementPort string) error {
	type named struct {
		Name string `json:"name"`
	}
	type user struct {
		Name     string `json:"name"`
		Password string `json:"password"`
		Tags     string `json:"tags"`
	}
	type permission struct {
		User      string `json:"user"`
		VHost     string `json:"vhost"`
		Configure string `json:"configure"`
		Write     string `json:"write"`
		Read      string `json:"read"`
	}
	var definitions struct {
		VHosts      []named      `json:"vhosts"`
		Users       []user       `json:"users"`
		Permissions []permission `json:"permissions"`
	}
	definitions.Users = []user{{Name: "guest", Password: "guest", Tags: "administrator"}}
	for _, vhost := range vhosts {
		definitions.VHosts = append(definitions.VHosts, named{vhost})
		definitions.Permissions = append(definitions.Permissions,
			permission{User: "guest", VHost: vhost, Configure: ".*", Write: ".*", Read: ".*"})
	}
	encoded, err := json.Marshal(definitions)
	if err != nil {
		return fmt.Errorf("write definitions: %w", err)
	}
	definitionsFile := filepath.Join(folder, "definitions.json")
	configuration := "load_definitions = " + definitionsFile + "\n"
	if slices.Contains(plugins, ManagementPlugin) {
		configuration += "management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = " +
			managementPort + "\n"
	}
	files := map[string]string{
		definitionsFile:                            string(encoded),
		filepath.Join(folder, "rabbitmq.conf"):     configuration,
		filepath.Join(folder, "rabbitmq-env.conf"): "",
		filepath.Join(folder, "enabled_plugins"):   "[" + strings.Join(plugins, ",") + "].\n",
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return fmt.Errorf("write settings: %w", err)
		}
	}
	return nil
}
