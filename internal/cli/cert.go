package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/tlsconfig"
)

// certFlags are the flags of `warren cert dev`.
type certFlags struct {
	dir, user string
	force     bool
}

func newCertCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "cert",
		Short: "Make certificates",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var f certFlags
	dev := &cobra.Command{
		Use:   "dev [NAME...]",
		Short: "Make certificates for development: an authority, a server, a client",
		Long: "Make an authority and, signed by it, a certificate for a server of these names\n" +
			"and addresses (default: localhost and this machine) and one for a client. The key\n" +
			"of the authority lies beside them: do not trust it beyond your desk.",
		RunE: func(c *cobra.Command, names []string) error {
			return developCertificates(c.OutOrStdout(), names, &f)
		},
	}
	dev.Flags().StringVar(&f.dir, "dir", "certs", "folder that the files are put in")
	dev.Flags().StringVar(&f.user, "user", "guest", "common name of the client's certificate")
	dev.Flags().BoolVar(&f.force, "force", false, "replace files that are there")
	c.AddCommand(dev)
	return c
}

// certFile is a file that is made.
type certFile struct {
	name    string
	content []byte
	secret  bool
}

func developCertificates(w io.Writer, names []string, f *certFlags) error {
	if len(names) == 0 {
		names = thisMachine()
	}
	made, err := makeCertificates(names, f.user)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if !f.force {
		for _, file := range made {
			if _, err := os.Lstat(filepath.Join(dir, file.name)); !errors.Is(err, fs.ErrNotExist) {
				return usageError("%s is there already: --force replaces it",
					filepath.Join(dir, file.name))
			}
		}
	}
	for _, file := range made {
		if err := writeCertificate(filepath.Join(dir, file.name), file); err != nil {
			return err
		}
	}
	explainCertificates(w, dir, names, f.user)
	return nil
}

// thisMachine are the names that clients on this machine call it by.
func thisMachine() []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		names = append(names, host)
	}
	return names
}

func makeCertificates(names []string, user string) ([]certFile, error) {
	authority, err := tlsconfig.NewAuthority("warren development authority")
	if err != nil {
		return nil, err
	}
	server, err := authority.Server(names...)
	if err != nil {
		return nil, err
	}
	client, err := authority.Client(user)
	if err != nil {
		return nil, err
	}
	return []certFile{
		{"ca.pem", authority.Certificate, false}, {"ca.key", authority.Key, true},
		{"server.pem", server.Certificate, false}, {"server.key", server.Key, true},
		{"client.pem", client.Certificate, false}, {"client.key", client.Key, true},
	}, nil
}

// writeCertificate puts a file in its place at once: whoever reads it meanwhile has the old one or
// the new one.
func writeCertificate(path string, file certFile) error {
	mode := fs.FileMode(0o644)
	if file.secret {
		mode = 0o600
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), file.name+".*") // with 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // when it has not become path
	_, err = temporary.Write(file.content)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(temporary.Name(), path)
}

func explainCertificates(w io.Writer, dir string, names []string, user string) {
	at := func(name string) string { return filepath.Join(dir, name) }
	fmt.Fprintf(w, `# an authority, a server (%s) and a client (%s), in %s
# what a configuration file needs to use them:
listeners.ssl.default = 127.0.0.1:5671
ssl_options.cacertfile = %s
ssl_options.certfile = %s
ssl_options.keyfile = %s
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
ssl_cert_login_from = common_name

# try it:
#   openssl s_client -connect %s -CAfile %s -cert %s -key %s </dev/null
#   python3 -c 'import pika, ssl; c = ssl.create_default_context(cafile="%s"); `+
		`print(pika.BlockingConnection(pika.ConnectionParameters("%s", 5671, `+
		`ssl_options=pika.SSLOptions(c, "%s"))))'
`, names[0], user, dir, at("ca.pem"), at("server.pem"), at("server.key"),
		"localhost:5671", at("ca.pem"), at("client.pem"), at("client.key"),
		at("ca.pem"), "localhost", names[0])
}
