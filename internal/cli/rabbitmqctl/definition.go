package rabbitmqctl

import (
	"cmp"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/warrenmq/warren/internal/apiclient"
)

func definitionVerbs() []*verb {
	format := []option{text("format", ""), flag("skip-if-unchanged", "")}
	return []*verb{
		{name: "export_definitions", min: 1, max: 1, options: format, valid: validExport,
			do: exportDefinitions, banner: func(t *task) string {
				if t.args[0] == "-" {
					return ""
				}
				return saying(`Exporting definitions in JSON to a file at "%0" ...`)(t)
			}},
		{name: "import_definitions", max: 1, options: format, valid: validImport,
			do: importDefinitions, banner: func(t *task) string {
				if t.imports() == "-" {
					return "Importing definitions in JSON from standard input ..."
				}
				return saying(`Importing definitions in JSON from a file at "%0" ...`)(t)
			}},
	}
}

// imports is where definitions come from.
func (t *task) imports() string {
	if len(t.args) == 0 {
		return "-"
	}
	return t.args[0]
}

// definitionsFormat refuses Erlang's terms, and what is no format.
func definitionsFormat(t *task) error {
	switch cmp.Or(t.options.text("format"), "json") {
	case "json", "JSON":
		return nil
	case "erlang":
		return badArgument("Definitions are read and written as JSON only")
	}
	return badArgument("Format should be either json or erlang")
}

func validExport(t *task) error {
	if dir := filepath.Dir(t.args[0]); t.args[0] != "-" {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return badArgument("Directory %s does not exist", dir)
		}
	}
	return definitionsFormat(t)
}

func validImport(t *task) error {
	if err := definitionsFormat(t); err != nil {
		return err
	}
	if path := t.imports(); path != "-" {
		if _, err := os.Stat(path); err != nil {
			return badArgument("File %s does not exist", path)
		}
	}
	return nil
}

// exportDefinitions writes hashes of passwords: the file is for its owner only.
func exportDefinitions(t *task) error {
	var content []byte
	if err := t.client.Get(t.ctx, "/definitions", &content); err != nil {
		return err
	}
	if t.args[0] == "-" {
		_, err := t.Stdout.Write(content)
		return err
	}
	if err := os.WriteFile(t.args[0], content, 0o600); err != nil {
		return fail(exitSoftware, "%v", err)
	}
	return nil
}

// importMax bounds definitions, in bytes.
const importMax = 1 << 30

func importDefinitions(t *task) error {
	in := t.Stdin
	if path := t.imports(); path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return fail(exitSoftware, "%v", err)
		}
		defer file.Close()
		in = file
	}
	content, err := io.ReadAll(io.LimitReader(in, importMax))
	if err != nil {
		return fail(exitSoftware, "%v", err)
	}
	if !json.Valid(content) {
		err := json.Unmarshal(content, new(any))
		return fail(exitData, "Failed to deserialise input (format: JSON) (error: %v)", err)
	}
	if err := t.client.Post(t.ctx, "/definitions", json.RawMessage(content), nil); err != nil {
		if apiclient.Status(err) > 0 {
			return fail(exitUnavailable, "Failed to import definitions: %s", reasonOf(err))
		}
		return err
	}
	return t.message("Successfully started definition import. " +
		"This process is asynchronous and can take some time.")
}
