package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/table"
)

func newStatusCommand() *cobra.Command {
	s := &session{}
	return s.flags(s.verb("status", "Show what the node is, where it listens and how it fares",
		exactArgs(0), nil,
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, _ []string) error {
			var overview object
			var nodes []object
			if err := api.Get(ctx, "/overview", &overview); err != nil {
				return err
			}
			if err := api.Get(ctx, "/nodes", &nodes); err != nil {
				return err
			}
			if s.json {
				return writeJSON(c.OutOrStdout(), object{"overview": overview, "nodes": nodes})
			}
			printStatus(c.OutOrStdout(), overview, nodes)
			return nil
		}))
}

func printStatus(w io.Writer, overview object, nodes []object) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	at := func(o object, path string) string {
		if text := table.Text(table.Lookup(o, path)); text != "" {
			return text
		}
		return "0"
	}
	line("broker", "%s %s, cluster %s", at(overview, "product_name"),
		at(overview, "product_version"), at(overview, "cluster_name"))
	for _, n := range nodes {
		line("node", "%s, up %s", at(n, "name"), uptime(n))
		line("memory", "%s of %s%s", size(n, "mem_used"), size(n, "mem_limit"),
			alarm(n, "mem_alarm"))
		line("disk", "%s free, at least %s%s", size(n, "disk_free"),
			size(n, "disk_free_limit"), alarm(n, "disk_free_alarm"))
		line("files", "%s of %s", at(n, "fd_used"), at(n, "fd_total"))
	}
	listeners, _ := overview["listeners"].([]any)
	for _, l := range listeners {
		if o, ok := l.(object); ok {
			line("listens", "%s on %s port %s", at(o, "protocol"), at(o, "ip_address"),
				at(o, "port"))
		}
	}
	var totals []string
	for _, noun := range []string{"connection", "channel", "queue", "exchange", "consumer"} {
		n, _ := table.Number(table.Lookup(overview, "object_totals."+noun+"s"))
		totals = append(totals, counted(int64(n), noun))
	}
	line("objects", "%s", strings.Join(totals, ", "))
	line("messages", "%s ready, %s unacknowledged", at(overview, "queue_totals.messages_ready"),
		at(overview, "queue_totals.messages_unacknowledged"))
	line("rates", "%s in, %s out, %s acknowledged per second",
		perSecond(overview, "message_stats.publish_details.rate"),
		perSecond(overview, "message_stats.deliver_get_details.rate"),
		perSecond(overview, "message_stats.ack_details.rate"))
}

// perSecond writes how many there are in a second: with one decimal, in thousands and millions.
func perSecond(o object, path string) string {
	n, _ := table.Number(table.Lookup(o, path))
	switch {
	case n >= 999_950:
		return fmt.Sprintf("%.1fM", n/1e6)
	case n >= 9_999.95:
		return fmt.Sprintf("%.1fk", n/1e3)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0")
}

func alarm(o object, key string) string {
	if o[key] == true {
		return ", ALARM: publishers are held back"
	}
	return ""
}

func uptime(o object) string {
	milliseconds, _ := table.Number(o["uptime"])
	seconds := int64(milliseconds / 1000)
	return fmt.Sprintf("%d days %02d:%02d:%02d", seconds/86400, seconds/3600%24, seconds/60%60,
		seconds%60)
}

// size writes bytes for people.
func size(o object, key string) string {
	n, ok := table.Number(o[key])
	if !ok {
		return "?"
	}
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if n < 1024 {
			return fmt.Sprintf("%.4g %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.4g TiB", n)
}

// checks are the health checks that need no argument.
func checks() []string {
	return []string{"alarms", "local-alarms", "virtual-hosts", "node-is-quorum-critical"}
}

func newHealthCommand() *cobra.Command {
	s := &session{}
	return s.flags(s.verb("health [CHECK...]",
		"Check the node; exit code 1 if a check fails. A check may have arguments: "+
			"port-listener/5672", cobra.ArbitraryArgs,
		cobra.FixedCompletions(checks(), cobra.ShellCompDirectiveNoFileComp),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			if len(args) == 0 {
				args = checks()
			}
			var list []object
			failed := 0
			for _, check := range args {
				why, err := runCheck(ctx, api, check)
				if err != nil {
					return about("check", check, err)
				}
				state := "ok"
				if why != "" {
					state = "failed"
					failed++
				}
				list = append(list, object{"check": check, "status": state, "reason": why})
			}
			if s.json {
				if err := writeJSON(c.OutOrStdout(), list); err != nil {
					return err
				}
			} else if err := table.Write(c.OutOrStdout(), []string{"check", "status", "reason"},
				list, table.Style{}); err != nil {
				return err
			}
			if failed > 0 {
				return &exitError{exitFailure, errors.New(counted(failed, "check") + " failed")}
			}
			return nil
		}))
}

// runCheck returns why a check failed, or nothing.
func runCheck(ctx context.Context, api *apiclient.Client, check string) (string, error) {
	err := api.Get(ctx, "/health/checks"+apiclient.Path(strings.Split(check, "/")...), nil)
	if apiclient.Status(err) == http.StatusServiceUnavailable {
		return err.Error(), nil
	}
	return "", err
}
