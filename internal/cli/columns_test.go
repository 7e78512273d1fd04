package cli

import "testing"

// TestMisspelledColumnsAreRefused, with the nearest, in lists with and without objects.
func TestMisspelledColumnsAreRefused(t *testing.T) {
	s := newScript(t)
	for range 2 {
		s.refused("queues list --filter mesages>1", exitUsage, `"mesages": did you mean messages`)
		s.refused("queues list --columns nam", exitUsage, `"nam": did you mean name?`)
		s.refused("queues list --sort -nope", exitUsage, `no column "nope"`)
		s.refused("queues list --json --columns name,nam", exitUsage, `"nam"`)
		s.want("queues list --filter message_stats.publish_details.rate>1")
		s.want("queues list --columns name,messages_details.rate,idle_since,operator_policy")
		s.want("queues list --sort -message_stats.publish --json")
		s.want("queues declare q")
	}
	s.refused("users permissions guest --columns usr", exitUsage, "did you mean user")
	s.refused("users list --sort tag", exitUsage, "did you mean tags")
	s.refused("connections list --columns nam", exitUsage, "did you mean name")
	s.want("policies list --sort apply-to")
	s.want("queues list --columns arguments.x-max-length,name")
	s.want("queues bindings q --columns source,properties_key")
}
