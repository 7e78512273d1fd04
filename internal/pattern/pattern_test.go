package pattern

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLookAheadAtTheBeginning(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{`^(?!amq\.).*`, "orders", true},
		{`^(?!amq\.).*`, "amq.gen-1", false},
		{`^(?!amq\.).*`, "amqx", true},
		{`^(?!amq\.).*`, "", true},
		{`^(?!amq\.|celery)(?!.*\.tmp$).+$`, "orders", true},
		{`^(?!amq\.|celery)(?!.*\.tmp$).+$`, "celery@1", false},
		{`^(?!amq\.|celery)(?!.*\.tmp$).+$`, "x.tmp", false},
		{`^(?=a)(?!ab).`, "ac", true},
		{`^(?=a)(?!ab).`, "abc", false},
		{`^(?=a)(?!ab).`, "b", false},
		{`^(?![)(]|\)).*`, "(", false},
		{`^(?![)(]|\)).*`, "x", true},
		{`^(?![]x]).*`, "x", false},
		{`^(?![^]x]).*`, "]", true},
		{`^(?!(?:a|(b))c).*`, "bc", false},
		{`^(?!a)(?:b|c)$`, "c", true},
		{`orders`, "my orders", true},
	} {
		p, err := Compile(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.MatchString(c.name); got != c.want || p.Match([]byte(c.name)) != got {
			t.Errorf("%s of %q: %v", c.pattern, c.name, got)
		}
	}
}

func TestWhatTakesMoreThanLinearTimeIsRefused(t *testing.T) {
	for _, text := range []string{
		"((", `^(?!a`, `^a(?!b)`, `(?!a)b`, `^(?<!a)b`, `^(?!a)b|c`, `^(?!(?!a))b`, `(a)\1`,
		`^(?!a)(b)\1`, "^" + strings.Repeat("(?!a)", aheadMax+1), `^(?![a).*`,
	} {
		if p, err := Compile(text); err == nil {
			t.Errorf("%s is taken: %v", text, p)
		}
	}
	if _, err := Compile("^" + strings.Repeat("(?!a)", aheadMax)); err != nil {
		t.Error(err)
	}
}

// TestLookAheadIsPrefix compares with what the look-ahead of a literal means.
func TestLookAheadIsPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "prefix")
		name := rapid.StringMatching(`[a-c]{0,5}`).Draw(t, "name")
		p := MustCompile(`^(?!` + prefix + `).*`)
		if got := p.MatchString(name); got == strings.HasPrefix(name, prefix) {
			t.Errorf("%q of %q: %v", prefix, name, got)
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{`^(?!amq\.).*`, `^(?=[)])x`, `^(?!`, `^(?!\`, `^(?![`} {
		f.Add(seed, "amq.x")
	}
	f.Fuzz(func(_ *testing.T, text, name string) {
		if p, err := Compile(text); err == nil {
			p.MatchString(name)
		}
	})
}
