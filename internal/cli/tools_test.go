package cli

import (
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/warrentest"
)

// TestPolicyVerbsPrintWhatRabbitmqctlDoes compares with what that of 3.10 prints.
func TestPolicyVerbsPrintWhatRabbitmqctlDoes(t *testing.T) {
	node := warrentest.Start(t)
	for _, c := range []struct {
		line, prints string
	}{
		{`set_policy p ^q {"max-length":1,"overflow":"drop-head"} --priority 3 --apply-to queues`,
			`Setting policy "p" for pattern "^q" to "{"max-length":1,"overflow":"drop-head"}" ` +
				`with priority "3" for vhost "/" ...` + "\n"},
		{"list_policies",
			"Listing policies for vhost \"/\" ...\n" +
				"vhost\tname\tpattern\tapply-to\tdefinition\tpriority\n" +
				"/\tp\t^q\tqueues\t{\"max-length\":1,\"overflow\":\"drop-head\"}\t3\n"},
		{`set_operator_policy o ^q {"max-length":1}`,
			`Setting operator policy override "o" for pattern "^q" to "{"max-length":1}" ` +
				`with priority "0" for vhost "/" ...` + "\n"},
		{"list_operator_policies",
			"Listing operator policy overrides for vhost \"/\" ...\n" +
				"vhost\tname\tpattern\tapply-to\tdefinition\tpriority\n" +
				"/\to\t^q\tall\t{\"max-length\":1}\t0\n"},
		{"clear_operator_policy o", "Clearing operator policy \"o\" on vhost \"/\" ...\n"},
		{"clear_policy p", "Clearing policy \"p\" on vhost \"/\" ...\n"},
		{"-q list_policies", ""},
	} {
		args := append([]string{"rabbitmqctl", "--data", node.DataDir()},
			strings.Fields(c.line)...)
		if code, stdout, stderr := run(args...); code != exitOK || stdout != c.prints {
			t.Errorf("%s exits with %d, says %q and prints\n%s, want\n%s", c.line, code, stderr,
				stdout, c.prints)
		}
	}
	for line, says := range map[string]string{
		`set_policy p ^q {"max-length":-1}`: "Validation failed\n\n" +
			"-1 is not a valid maximum length\n",
		`set_operator_policy p ^q {"x":1}`: "[{<<\"x\">>,1}] are not recognised policy settings",
		"clear_policy p":                   "Parameter does not exist",
		"set_policy p ^q {} --priority x":  "--priority",
		"clear_operator_policy":            "not enough arguments",
	} {
		args := append([]string{"rabbitmqctl", "--data", node.DataDir()}, strings.Fields(line)...)
		if code, _, stderr := run(args...); code == exitOK || !strings.Contains(stderr, says) {
			t.Errorf("%s exits with %d and says %q", line, code, stderr)
		}
	}
}
