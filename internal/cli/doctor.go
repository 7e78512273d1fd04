package cli

import (
	"context"
	"fmt"

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
				return &exitError{exitSerious, fmt.Errorf("%d findings", len(found))}
			case doctor.Warning:
				return &exitError{exitDiffers, fmt.Errorf("%d findings", len(found))}
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
	for _, f := range found {
		s.say(c, "%-8s %s: %s.\n         %s [%s]", f.Severity, table.Text(f.Object),
			table.Text(f.Why), f.Advice, f.Rule)
	}
	if len(found) == 0 {
		s.say(c, "Nothing to complain about.")
	}
	return nil
}
