package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// secretMax is the longest password that is read, in bytes.
const secretMax = 4 << 10

// redacted returns the context without what must not be seen.
func (x storedContext) redacted() storedContext {
	if x.Password != "" {
		x.Password = "(kept)"
	}
	if u, err := url.Parse(x.URI); err == nil {
		x.URI = u.Redacted()
	}
	return x
}

// secret finds the password that neither the context nor the URI holds.
func (x storedContext) secret(c *cobra.Command, user string) (string, error) {
	switch {
	case x.PasswordEnv != "":
		password, ok := os.LookupEnv(x.PasswordEnv)
		if !ok {
			return "", usageError("the variable %s, which should hold the password, is not set",
				x.PasswordEnv)
		}
		return password, nil
	case x.PasswordCommand != "":
		return commandSecret(c, x.PasswordCommand)
	}
	if password, ok := os.LookupEnv("WARREN_PASSWORD"); ok {
		return password, nil
	}
	return readSecret(c, "Password of "+user)
}

// commandSecret runs a command by the shell and takes the first line that it prints.
func commandSecret(c *cobra.Command, command string) (string, error) {
	shell, flag := "/bin/sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd.exe", "/C"
	}
	run := exec.Command(shell, flag, command) //nolint:gosec // the user's own command
	run.Stdin, run.Stderr = os.Stdin, c.ErrOrStderr()
	out, err := run.Output()
	if err != nil {
		return "", fmt.Errorf("the command for the password: %w", err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// readSecret asks without an echo where a person sits, and reads a line of the input elsewhere.
func readSecret(c *cobra.Command, prompt string) (string, error) {
	in := c.InOrStdin()
	if file, ok := in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(c.ErrOrStderr(), prompt+": ")
		text, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(c.ErrOrStderr())
		return string(text), err
	}
	line, err := bufio.NewReader(io.LimitReader(in, secretMax)).ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", usageError("a password is expected on the standard input")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// isTerminal reports whether a person looks at w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
