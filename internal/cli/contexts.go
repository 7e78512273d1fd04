package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/cli/table"
)

// storedContext is a node that has a name: where it is and how to log in.
type storedContext struct {
	URI             string `json:"uri,omitempty"`
	Data            string `json:"data,omitempty"`
	VHost           string `json:"vhost,omitempty"`
	User            string `json:"user,omitempty"`
	Password        string `json:"password,omitempty"`
	PasswordEnv     string `json:"password_env,omitempty"`
	PasswordCommand string `json:"password_command,omitempty"`
	CA              string `json:"ca,omitempty"`
	Cert            string `json:"cert,omitempty"`
	Key             string `json:"key,omitempty"`
	Insecure        bool   `json:"insecure,omitempty"`
}

// contextFile is the file of contexts: only its owner may read it, since it may hold passwords.
type contextFile struct {
	Current  string                   `json:"current,omitempty"`
	Contexts map[string]storedContext `json:"contexts"`
}

func contextPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("the directory of contexts: %w", err)
	}
	return filepath.Join(dir, "warren", "contexts.json"), nil
}

func readContexts() (contextFile, error) {
	file := contextFile{Contexts: map[string]storedContext{}}
	path, err := contextPath()
	if err != nil {
		return file, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return file, nil
	}
	if err != nil {
		return file, fmt.Errorf("the contexts: %w", err)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return file, fmt.Errorf("the contexts in %s: %w", path, err)
	}
	if file.Contexts == nil {
		file.Contexts = map[string]storedContext{}
	}
	return file, nil
}

// write replaces the file as a whole: a crash leaves the old one or the new one.
func (f contextFile) write() error {
	path, err := contextPath()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write the contexts: %w", err)
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("write the contexts: %w", err)
	}
	fresh, err := os.CreateTemp(filepath.Dir(path), ".contexts-") // 0600
	if err != nil {
		return fmt.Errorf("write the contexts: %w", err)
	}
	_, err = fresh.Write(append(text, '\n'))
	err = errors.Join(err, fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the contexts: %w", err), os.Remove(fresh.Name()))
	}
	return nil
}

// chosenContext finds the context of a name; without one that of WARREN_CONTEXT, then the one
// in use. Found is false when none is chosen at all.
func chosenContext(name string) (x storedContext, found bool, err error) {
	if name == "" {
		name = os.Getenv("WARREN_CONTEXT")
	}
	file, err := readContexts()
	if err != nil {
		return x, false, err
	}
	if name == "" {
		name = file.Current
	}
	if name == "" {
		return x, false, nil
	}
	x, found = file.Contexts[name]
	if !found {
		return x, false, usageError("there is no context %q; there are: %s", name,
			strings.Join(slices.Sorted(maps.Keys(file.Contexts)), " "))
	}
	return x, true, nil
}

func completeContexts(
	*cobra.Command, []string, string,
) ([]cobra.Completion, cobra.ShellCompDirective) {
	file, err := readContexts()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.Sorted(maps.Keys(file.Contexts)), cobra.ShellCompDirectiveNoFileComp
}

func newContextCommand() *cobra.Command {
	c := &cobra.Command{Use: "context", Short: "Nodes by name: where they are, how to log in"}
	c.AddCommand(contextAdd(), contextList(), contextUse(), contextRemove(), contextShow())
	return c
}

func contextAdd() *cobra.Command {
	var x storedContext
	var use bool
	c := &cobra.Command{
		Use: "add NAME", Short: "Keep a node under a name, or change it",
		Args: exactArgs(1), ValidArgsFunction: completeContexts,
		RunE: func(c *cobra.Command, args []string) error {
			if (x.URI == "") == (x.Data == "") {
				return usageError("a context has either --uri or --data")
			}
			if x.Data != "" {
				absolute, err := filepath.Abs(x.Data)
				if err != nil {
					return err
				}
				x.Data = absolute
			}
			file, err := readContexts()
			if err != nil {
				return err
			}
			file.Contexts[args[0]] = x
			if use || len(file.Contexts) == 1 {
				file.Current = args[0]
			}
			return file.write()
		},
	}
	f := c.Flags()
	f.StringVar(&x.URI, "uri", "", "`URL` of the HTTP API; a password in it is kept in the file")
	f.StringVar(&x.Data, "data", "", "data `DIRECTORY` of a node on this machine")
	f.StringVarP(&x.VHost, "vhost", "p", "", "vhost, when no flag names one")
	f.StringVar(&x.User, "user", "", "user to log in as")
	f.StringVar(&x.PasswordEnv, "password-env", "", "environment `VARIABLE` with the password")
	f.StringVar(&x.PasswordCommand, "password-command", "",
		"`COMMAND` whose first line of output is the password")
	f.StringVar(&x.CA, "ca", "", "`FILE` of authorities that sign the node's certificate")
	f.StringVar(&x.Cert, "cert", "", "`FILE` of the certificate shown to the node")
	f.StringVar(&x.Key, "key", "", "`FILE` of that certificate's key")
	f.BoolVar(&x.Insecure, "insecure", false, "take any certificate of the node")
	f.BoolVar(&use, "use", false, "use it from now on, as the first one is anyway")
	return c
}

func contextList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the contexts; the one in use has a star", Args: exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			file, err := readContexts()
			if err != nil {
				return err
			}
			list := make([]object, 0, len(file.Contexts))
			for _, name := range slices.Sorted(maps.Keys(file.Contexts)) {
				star := ""
				if name == file.Current {
					star = "*"
				}
				x := file.Contexts[name].redacted()
				where := x.URI
				if where == "" {
					where = x.Data
				}
				list = append(list, object{
					"used": star, "name": name, "node": where, "user": x.User, "vhost": x.VHost,
				})
			}
			return table.Write(c.OutOrStdout(), []string{"used", "name", "node", "user", "vhost"},
				list, table.Style{})
		},
	}
}

func contextUse() *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Ask this node from now on", Args: exactArgs(1),
		ValidArgsFunction: completeContexts,
		RunE: func(_ *cobra.Command, args []string) error {
			if _, _, err := chosenContext(args[0]); err != nil {
				return err
			}
			file, err := readContexts()
			if err != nil {
				return err
			}
			file.Current = args[0]
			return file.write()
		},
	}
}

func contextRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Forget a context", Args: exactArgs(1),
		ValidArgsFunction: completeContexts,
		RunE: func(_ *cobra.Command, args []string) error {
			if _, _, err := chosenContext(args[0]); err != nil {
				return err
			}
			file, err := readContexts()
			if err != nil {
				return err
			}
			delete(file.Contexts, args[0])
			if file.Current == args[0] {
				file.Current = ""
			}
			return file.write()
		},
	}
}

func contextShow() *cobra.Command {
	return &cobra.Command{
		Use: "show [NAME]", Short: "Show a context, without its password", Args: maxArgs(1),
		ValidArgsFunction: completeContexts,
		RunE: func(c *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			x, found, err := chosenContext(name)
			if err != nil {
				return err
			}
			if !found {
				x = storedContext{Data: defaultData}
			}
			return writeJSON(c.OutOrStdout(), x.redacted())
		},
	}
}
