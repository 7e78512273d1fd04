package rabbitmqctl

import (
	"errors"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

func settingVerbs() []*verb {
	return []*verb{
		{name: "set_cluster_name", min: 1, max: 1, banner: saying("Setting cluster name to %0 ..."),
			do: func(t *task) error {
				return t.client.Put(t.ctx, "/cluster-name", map[string]string{"name": t.args[0]})
			}},
		{name: "set_vm_memory_high_watermark", min: 1, max: 2, valid: validWatermark,
			do: setWatermark, banner: func(t *task) string {
				if len(t.args) > 1 {
					return saying("Setting memory threshold on %n to %1 bytes ...")(t)
				}
				return saying("Setting memory threshold on %n to %0 ...")(t)
			}},
		{name: "set_disk_free_limit", min: 1, max: 2, valid: validDiskLimit,
			do: setDiskLimit, banner: func(t *task) string {
				if len(t.args) > 1 {
					return saying("Setting disk free limit on %n to %1 times the total RAM ...")(t)
				}
				return saying("Setting disk free limit on %n to %0 bytes ...")(t)
			}},
		{name: "set_log_level", min: 1, max: 1, valid: validLevel, do: func(t *task) error {
			return t.client.Put(t.ctx, "/warren/log-level",
				map[string]string{"level": levelOf(t.args[0])})
		}, banner: saying(`Setting log level to "%0" ...`)},
		{name: "list_hashes", needs: nothing,
			banner: saying("Listing supported hash algorithms ..."),
			do:     func(t *task) error { return t.message("[sha512,sha256,argon2id]") }},
		{name: "list_ciphers", needs: nothing, banner: saying("Listing supported ciphers ..."),
			do: func(t *task) error { return t.message("[]") }},
	}
}

var errUnits = errors.New("invalid units")

// units are RabbitMQ's: of ten for k, M, G and kB, of two for KiB and the like.
func units() map[string]uint64 {
	const ten, two = 1000, 1024
	return map[string]uint64{
		"": 1, "B": 1, "k": two, "kiB": two, "KiB": two, "kB": ten, "KB": ten,
		"M": two * two, "MiB": two * two, "MB": ten * ten,
		"G": two * two * two, "GiB": two * two * two, "GB": ten * ten * ten,
		"T": two * two * two * two, "TiB": two * two * two * two, "TB": ten * ten * ten * ten,
	}
}

// bytesOf reads an amount of memory such as 4GB.
func bytesOf(text string) (uint64, error) {
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(text)
	}
	n, err := strconv.ParseUint(text[:end], 10, 63)
	if err != nil {
		return 0, err
	}
	unit, ok := units()[text[end:]]
	if !ok {
		return 0, errUnits
	}
	if n > (1<<63)/unit {
		return 0, strconv.ErrRange
	}
	return n * unit, nil
}

func validWatermark(t *task) error {
	if t.args[0] == "absolute" {
		if len(t.args) < 2 {
			return usageFailure("not enough arguments.")
		}
		_, err := bytesOf(t.args[1])
		if errors.Is(err, errUnits) {
			return badArgument("Invalid units.")
		}
		if err != nil {
			return badArgument("")
		}
		return nil
	}
	if len(t.args) > 1 {
		return usageFailure("too many arguments.")
	}
	fraction, err := strconv.ParseFloat(t.args[0], 64)
	switch {
	case err != nil:
		return badArgument("")
	case !(fraction >= 0 && fraction <= 1):
		return badArgument("The threshold should be a fraction between 0.0 and 1.0")
	}
	return nil
}

func setWatermark(t *task) error {
	if t.args[0] == "absolute" {
		n, err := bytesOf(t.args[1])
		if err != nil {
			return err
		}
		return t.client.Put(t.ctx, "/warren/memory-high-watermark", map[string]any{"bytes": n})
	}
	fraction, err := strconv.ParseFloat(t.args[0], 64)
	if err != nil {
		return err
	}
	return t.client.Put(t.ctx, "/warren/memory-high-watermark",
		map[string]any{"relative": fraction})
}

func validDiskLimit(t *task) error {
	if t.args[0] == "mem_relative" {
		if len(t.args) < 2 {
			return usageFailure("not enough arguments.")
		}
		if f, err := strconv.ParseFloat(t.args[1], 64); err != nil || !(f >= 0) {
			return badArgument("")
		}
		return nil
	}
	if len(t.args) > 1 {
		return usageFailure("too many arguments.")
	}
	if _, err := bytesOf(t.args[0]); err != nil {
		return badArgument("")
	}
	return nil
}

func setDiskLimit(t *task) error {
	amount := map[string]any{}
	if t.args[0] == "mem_relative" {
		fraction, err := strconv.ParseFloat(t.args[1], 64)
		if err != nil {
			return err
		}
		amount["relative"] = fraction
	} else {
		n, err := bytesOf(t.args[0])
		if err != nil {
			return err
		}
		amount["bytes"] = n
	}
	return t.client.Put(t.ctx, "/warren/disk-free-limit", amount)
}

func validLevel(t *task) error {
	if levelOf(t.args[0]) == "" {
		return fail(exitUnavailable, "level %s is not supported. "+
			"Try one of debug, info, warning, error, critical, none", t.args[0])
	}
	return nil
}

// levelOf turns a level of RabbitMQ into one of ours, "" if it is none.
func levelOf(name string) string {
	switch name {
	case "debug", "info", "error":
		return name
	case "warning":
		return "warn"
	case "critical", "none":
		return "error"
	}
	return ""
}

func flagVerbs() []*verb {
	return []*verb{
		lister{
			name: "list_feature_flags", banner: "Listing feature flags ...", chooses: true,
			path: func(*task) string { return "/feature-flags" },
			columns: []column{
				{name: "name"}, {name: "state"}, {name: "stability"}, {name: "provided_by"},
				{name: "desc"}, {name: "doc_url"},
			},
			usual: []string{"name", "state"},
		}.verb(),
		{name: "enable_feature_flag", min: 1, max: 1, do: enableFlag,
			options: []option{flag("opt-in", ""), flag("experimental", "")},
			banner: func(t *task) string {
				if t.args[0] == "all" {
					return "Enabling all feature flags ..."
				}
				return saying(`Enabling feature flag "%0" ...`)(t)
			}},
		lister{
			name: "list_deprecated_features", banner: "Listing deprecated features ...",
			chooses: true, options: []option{flag("used", "")},
			path: func(t *task) string {
				if t.options.has("used") {
					return "/deprecated-features/used"
				}
				return "/deprecated-features"
			},
			columns: plain("name", "deprecation_phase", "provided_by", "desc", "doc_url"),
			usual:   []string{"name", "deprecation_phase"},
		}.verb(),
	}
}

// enableFlag looks whether there is such a flag: all are enabled.
func enableFlag(t *task) error {
	list, err := t.getList("/feature-flags")
	if err != nil {
		return err
	}
	for _, o := range list {
		if t.args[0] == "all" || o.text("name") == t.args[0] {
			return nil
		}
	}
	if err := t.client.Put(t.ctx, apiclient.Path("feature-flags", t.args[0], "enable"),
		nil); err == nil {
		return nil
	}
	return fail(exitUsage, "This feature flag is not supported by node %s", t.node.name)
}
