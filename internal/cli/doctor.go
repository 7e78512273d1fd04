package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/cli/doctor"
	"github.com/warrenmq/warren/internal/cli/table"
)

func newDoctorCommand() *cobra.Command {
	s := &session{}
	return s.flags(s.verb("doctor",
		"Look for what will hurt; exit code 2 for warnings, 3 for what is serious", exactArgs(0),
		nil,
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, _ []string) error {
			patient, err := s.patient(ctx, api)
			if err != nil {
				return err
			}
			found := doctor.Examine(patient)
			if err := s.printFindings(c, found); err != nil {
				return err
			}
			if len(found) == 0 {
				return nil
			}
			switch found[0].Severity { // the worst comes first
			case doctor.Serious:
				return &exitError{exitSerious, errTold}
			case doctor.Warning:
				return &exitError{exitDiffers, errTold}
			}
			return nil
		}))
}

// patient asks the node everything that the rules look at.
func (s *session) patient(
	ctx context.Context, api *apiclient.Client,
) (p doctor.Patient, err error) {
	if err := api.Get(ctx, "/overview", &p.Overview); err != nil {
		return p, err
	}
	for _, part := range []struct {
		into *[]object
		from listing
	}{
		{&p.Nodes, listing{path: "/nodes"}},
		{&p.Queues, listing{path: "/queues", perVHost: true, paged: true}},
		{&p.Exchanges, listing{path: "/exchanges", perVHost: true, paged: true}},
		{&p.Bindings, listing{path: "/bindings", perVHost: true}},
		{&p.Policies, listing{path: "/policies", perVHost: true}},
		{&p.Users, listing{path: "/users"}},
		{&p.Consumers, listing{path: "/consumers", perVHost: true}},
	} {
		if *part.into, err = s.fetch(ctx, api, part.from, nil); err != nil {
			return p, fmt.Errorf("%s: %w", part.from.path, err)
		}
	}
	return p, nil
}

func (s *session) printFindings(c *cobra.Command, found []doctor.Finding) error {
	if s.json {
		if found == nil {
			found = []doctor.Finding{}
		}
		return writeJSON(c.OutOrStdout(), found)
	}
	for len(found) > 0 {
		alike := 1
		for alike < len(found) && found[alike].Rule == found[0].Rule {
			alike++
		}
		s.say(c, "%-8s %s.\n         %s [%s]", found[0].Severity,
			table.Text(summed(found[:alike])), found[0].Advice, found[0].Rule)
		if found = found[alike:]; len(found) == 0 {
			return nil
		}
	}
	s.say(c, "Nothing to complain about.")
	return nil
}

// namesMax is how many objects are named of those that one rule found; --json has all.
const namesMax = 3

// summed says in one line what a rule found.
func summed(found []doctor.Finding) string {
	if len(found) == 1 {
		return found[0].Object + ": " + found[0].Why
	}
	var names []string
	why := found[0].Why
	for i, f := range found {
		if i < namesMax {
			names = append(names, f.Object)
		}
		if f.Why != found[0].Why {
			why = "of the first: " + found[0].Why
		}
	}
	more := ""
	if n := len(found) - len(names); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s, %s%s: %s", counted(len(found), "object"), strings.Join(names, ", "),
		more, why)
}
