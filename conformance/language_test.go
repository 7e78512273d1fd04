package conformance

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/warrenmq/warren/conformance/broker"
	"github.com/warrenmq/warren/conformance/process"
)

// language is one foreign client library and our programs on it. All programs of a name print the
// same lines in every language.
type language struct {
	name    string
	client  string // the library that is put to the test
	needs   []need
	prepare func(ctx context.Context, source, out string) error // compiles, or nil
	run     func(source, out, program string) []string          // the command line

	lacks        []string // scenarios that its programs do not play, all with the same reason
	lacksBecause string
	deafToCtrlC  bool // ends without closing its connection
}

// need is something that must be installed.
type need struct {
	provider string   // the Debian package, or the command that brings it
	file     string   // proof: a file, relative to the suite
	command  []string // proof: a command that ends well
}

// languages is the table: which client, what it needs, how its programs are built and run.
func languages() []language { return append(interpreted(), compiled()...) }

// interpreted are the languages whose programs run as they stand.
func interpreted() []language {
	return []language{
		{
			name: "python", client: "pika",
			needs: []need{
				{provider: "python3", file: python},
				{provider: "python3-pika", command: []string{python, "-c", "import pika"}},
			},
			run: func(source, _, program string) []string {
				return []string{python, "-u", filepath.Join(source, program+".py")}
			},
		},
		{
			name: "ruby", client: "bunny",
			needs: []need{
				{provider: "ruby", command: []string{"ruby", "--version"}},
				{provider: "ruby-bunny", command: []string{"ruby", "-e", "require 'bunny'"}},
			},
			run: func(source, _, program string) []string {
				return []string{"ruby", filepath.Join(source, program+".rb")}
			},
		},
		{
			name: "javascript", client: "amqplib",
			needs: []need{
				{provider: "nodejs", command: []string{"node", "--version"}},
				{
					provider: "npm ci in programs/javascript",
					file:     "programs/javascript/node_modules/amqplib/package.json",
				},
			},
			run: func(source, _, program string) []string {
				return []string{"node", filepath.Join(source, program+".js")}
			},
		},
		{
			name: "amqp-tools", client: "librabbitmq",
			needs: append(cNeeds(), need{
				provider: "amqp-tools", command: []string{"amqp-consume", "--help"},
			}),
			prepare: func(ctx context.Context, _, out string) error {
				return buildC(ctx, filepath.Join("programs", "c"), out)
			},
			run: func(source, _, program string) []string {
				return []string{"sh", filepath.Join(source, program+".sh")}
			},
			lacks:        []string{"worker_killed", "routing", "topics", "wildcards", "rpc"},
			lacksBecause: "the tools show no redelivered flag, bind one key, and cannot reply",
			deafToCtrlC:  true,
		},
		{
			name: "php", client: "php-amqplib",
			needs: []need{
				{provider: "php-cli", command: []string{"php", "--version"}},
				{provider: "php-amqplib", command: []string{
					"php", "-r", "require 'PhpAmqpLib/autoload.php';",
				}},
			},
			run: func(source, _, program string) []string {
				return []string{"php", filepath.Join(source, program+".php")}
			},
		},
	}
}

// compiled are the languages whose programs are built first.
func compiled() []language {
	return []language{
		{
			name: "go", client: "amqp091-go",
			needs:   []need{{provider: "golang", command: []string{"go", "version"}}},
			prepare: buildGo,
			run: func(_, out, program string) []string {
				return []string{filepath.Join(out, program)}
			},
		},
		{
			name: "c", client: "librabbitmq",
			needs:   cNeeds(),
			prepare: buildC,
			run: func(_, out, program string) []string {
				return []string{filepath.Join(out, program)}
			},
		},
		{
			name: "java", client: "amqp-client",
			needs: []need{
				{provider: "default-jdk-headless", command: []string{"javac", "-version"}},
				{provider: "default-jdk-headless", command: []string{"java", "-version"}},
				{provider: "librabbitmq-client-java", file: javaClient},
				{provider: "libslf4j-java", file: javaLog},
			},
			prepare: buildJava,
			run: func(_, out, program string) []string {
				// A short life needs no second compiler and no parallel garbage collector.
				return []string{
					"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
					"-cp", strings.Join([]string{out, javaClient, javaLog, javaNoLog}, ":"),
					className(program),
				}
			},
		},
	}
}

// Where Debian keeps what has no command. Its Python is named by its path because other Pythons in
// the PATH do not see Debian's libraries.
const (
	python     = "/usr/bin/python3"
	javaClient = "/usr/share/java/amqp-client.jar"
	javaLog    = "/usr/share/java/slf4j-api.jar"
	javaNoLog  = "/usr/share/java/slf4j-nop.jar"
)

func cNeeds() []need {
	return []need{
		{provider: "gcc", command: []string{"gcc", "--version"}},
		{provider: "librabbitmq-dev", command: []string{
			"sh", "-c", "echo '#include <amqp.h>' | gcc -E - >/dev/null",
		}},
	}
}

// missing returns the providers of what l needs and this machine does not have.
func (l language) missing(ctx context.Context) []string {
	var missing []string
	for _, need := range l.needs {
		if !need.met(ctx) {
			missing = append(missing, need.provider)
		}
	}
	return missing
}

func (n need) met(ctx context.Context) bool {
	if n.file != "" {
		_, err := os.Stat(n.file)
		return err == nil
	}
	return exec.CommandContext(ctx, n.command[0], n.command[1:]...).Run() == nil
}

func buildGo(ctx context.Context, source, out string) error {
	return build(ctx, "go", "build", "-o", out+string(filepath.Separator), "./"+source+"/...")
}

// buildC makes a program of each file, together with the one that all share.
func buildC(ctx context.Context, source, out string) error {
	const shared = "broker.c"
	files, err := filepath.Glob(filepath.Join(source, "*.c"))
	if err != nil {
		return err
	}
	object := filepath.Join(out, shared+".o")
	flags := []string{"-std=gnu11", "-Wall", "-Wextra", "-O1"}
	compile := append([]string{"gcc"}, flags...)
	err = build(ctx, append(compile, "-c", "-o", object, filepath.Join(source, shared))...)
	for _, file := range files {
		if filepath.Base(file) == shared || err != nil {
			continue
		}
		program := strings.TrimSuffix(filepath.Base(file), ".c")
		link := []string{"-o", filepath.Join(out, program), file, object, "-lrabbitmq"}
		err = build(ctx, append(compile, link...)...)
	}
	return err
}

func buildJava(ctx context.Context, source, out string) error {
	files, err := filepath.Glob(filepath.Join(source, "*.java"))
	if err != nil {
		return err
	}
	command := []string{"javac", "-Xlint:all", "-d", out, "-cp", javaClient}
	return build(ctx, append(command, files...)...)
}

func build(ctx context.Context, command ...string) error {
	_, err := process.Run(ctx, command[0], exec.Command(command[0], command[1:]...))
	return err
}

// className is Java's way to write a program's name: RpcServer for rpc_server.
func className(program string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(program, "_") {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}

// programs are a language's programs, ready to run.
type programs struct {
	language
	source, out string
}

// ready builds the programs of l into folder. The error is broker.ErrMissing when something must be
// installed first.
func (l language) ready(ctx context.Context, folder string) (programs, error) {
	p := programs{language: l, source: filepath.Join("programs", l.name), out: folder}
	if missing := l.missing(ctx); len(missing) > 0 {
		return p, fmt.Errorf("%w for %s: %s",
			broker.ErrMissing, l.name, strings.Join(missing, ", "))
	}
	if l.prepare == nil {
		return p, nil
	}
	if err := l.prepare(ctx, p.source, p.out); err != nil {
		return p, fmt.Errorf("build the programs of %s: %w", l.name, err)
	}
	return p, nil
}

// command returns a program's command against the broker at a URL. The environment is added to
// this process's.
func (p programs) command(url, program string, args, environment []string) *exec.Cmd {
	line := append(p.run(p.source, p.out, program), args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(os.Environ(), "AMQP_URL="+url,
		"PATH="+p.out+string(filepath.ListSeparator)+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, environment...)
	return cmd
}
