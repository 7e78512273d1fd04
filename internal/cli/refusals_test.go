package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAPlanNamesWhatIsRefused, and the import refuses it indeed, one by one.
func TestAPlanNamesWhatIsRefused(t *testing.T) {
	s := newScript(t)
	file := filepath.Join(t.TempDir(), "definitions.json")
	for _, c := range []struct{ text, line, why string }{
		{`"exchanges":[{"name":"x","vhost":"/","type":"x-odd","durable":true}]`,
			"! exchanges x (vhost /)", "x-odd"},
		{`"policies":[{"name":"p","vhost":"/","pattern":"a(","definition":{"max-length":1}}]`,
			"! policies p (vhost /)", "a("},
		{`"policies":[{"name":"p","vhost":"/","pattern":"a","definition":{"max-lenght":1}}]`,
			"! policies p (vhost /)", "max-lenght"},
		{`"queues":[{"name":"q","vhost":"/","durable":true,"arguments":{"x-max-length":"a"}}]`,
			"! queues q (vhost /)", "x-max-length"},
		{`"queues":[{"name":"q","vhost":"/","durable":true,"arguments":[]}]`,
			"! queues q (vhost /)", "arguments: "},
		{`"parameters":[{"name":"p","vhost":"/","component":"operator_policy",` +
			`"value":{"pattern":"a","definition":{"alternate-exchange":"x"}}}]`,
			"! parameters operator_policy p (vhost /)", "alternate-exchange"},
		{`"permissions":[{"user":"guest","vhost":"/","configure":"(","write":"","read":""}]`,
			"! permissions guest (vhost /)", "configure"},
		{`"permissions":[{"user":"none","vhost":"/","configure":"","write":"","read":""}]`,
			"! permissions none (vhost /)", "no user"},
		{`"queues":[{"name":"q","vhost":"none","durable":true}]`,
			"! queues q (vhost none)", "no vhost"},
	} {
		if err := os.WriteFile(file, []byte("{"+c.text+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := s.run("definitions plan " + file)
		if code != exitData || !strings.Contains(stdout, c.line) ||
			!strings.Contains(stdout, c.why) || !strings.Contains(stderr, "1 object\n") {
			t.Errorf("the plan of %s is %d, %s%s", c.text, code, stdout, stderr)
		}
		if code, _, _ := s.run("definitions import " + file); code == exitOK {
			t.Errorf("%s is imported", c.text)
		}
	}
}

// TestAPlanTakesWhatAnExportHolds of each kind, and so does the import.
func TestAPlanTakesWhatAnExportHolds(t *testing.T) {
	s := newScript(t)
	file := filepath.Join(t.TempDir(), "definitions.json")
	text := `{"vhosts":[{"name":"v"}],"users":[{"name":"u","password_hash":"","tags":""}],
"permissions":[{"user":"u","vhost":"v","configure":"^a","write":"","read":".*"}],
"policies":[{"name":"p","vhost":"v","pattern":"^q","definition":{"max-length":1},"priority":0,
	"apply-to":"queues"}],
"exchanges":[{"name":"x","vhost":"v","type":"topic","durable":true,"arguments":{}}],
"queues":[{"name":"q","vhost":"v","durable":true,"arguments":{"x-queue-type":"quorum"}},
	{"name":"amq.gen-1","vhost":"v","durable":true,"auto_delete":true,"arguments":{}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := s.run("definitions plan " + file)
	if code != exitDiffers || strings.Contains(stdout, "!") || stderr != "" {
		t.Errorf("the plan is %d, %s%s", code, stdout, stderr)
	}
	s.want("definitions import " + file)
}

// TestErrorsAreForReading: what the API writes for browsers is characters again.
func TestErrorsAreForReading(t *testing.T) {
	s := newScript(t)
	code, _, stderr := s.run("policies set p a", `{"max-lenght":1}`)
	if code != exitData || !strings.Contains(stderr, `<<"max-lenght">>`) {
		t.Errorf("a policy is refused with %d, %s", code, stderr)
	}
}
