package auth

import (
	"errors"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

// field is a text field of a table on the wire.
func field(name, value string) string {
	return string([]byte{byte(len(name))}) + name +
		"S" + string([]byte{0, 0, 0, byte(len(value))}) + value
}

// The answers in these tables are those of a RabbitMQ 3.10.8: what it refuses as a login is
// read, what it hangs up on is malformed.

func TestPlainIsReadAsRabbitMQReadsIt(t *testing.T) {
	for _, c := range []struct {
		response, user, password string
		want                     error
	}{
		{response: "\x00guest\x00secret", user: "guest", password: "secret"},
		{response: "\x00\x00secret", password: "secret"},
		{response: "\x00guest\x00", user: "guest"},
		{response: "\x00gu\xff\xfe\x00secret", user: "gu\xff\xfe", password: "secret"},
		{response: "", want: ErrMalformed},
		{response: "\x00guest", want: ErrMalformed},
		{response: "guest\x00secret", want: ErrMalformed},
		{response: "someone\x00guest\x00secret", want: ErrMalformed},
		{response: "guest\x00guest\x00secret", want: ErrMalformed},
		{response: "\x00guest\x00sec\x00ret", want: ErrMalformed},
	} {
		user, password, err := ParsePlain([]byte(c.response))
		if user != c.user || password != c.password || !errors.Is(err, c.want) {
			t.Errorf("%q: %q, %q, %v", c.response, user, password, err)
		}
	}
}

func TestAMQPlainIsReadAsRabbitMQReadsIt(t *testing.T) {
	login, password := field("LOGIN", "guest"), field("PASSWORD", "secret")
	for _, c := range []struct {
		name, response, user, password string
		want                           error
	}{
		{name: "both", response: login + password, user: "guest", password: "secret"},
		{name: "turned", response: password + login, user: "guest", password: "secret"},
		{name: "more", response: login + field("X", "y") + password,
			user: "guest", password: "secret"},
		{name: "twice", response: login + field("LOGIN", "x") + password,
			user: "guest", password: "secret"},
		{name: "no user", response: field("LOGIN", "") + password, password: "secret"},
		{name: "no password", response: login + field("PASSWORD", ""), user: "guest"},
		{name: "empty", want: ErrMalformed},
		{name: "no table", response: "xyz", want: ErrMalformed},
		{name: "one", response: login, want: ErrMalformed},
		{name: "small letters", response: field("login", "guest") + password, want: ErrMalformed},
		{name: "cut", response: (login + password)[:20], want: ErrMalformed},
		{name: "numbers", response: "\x05LOGINI\x00\x00\x00\x01" + password, want: ErrMalformed},
	} {
		user, password, err := ParseAMQPlain([]byte(c.response))
		if user != c.user || password != c.password || !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %q, %v", c.name, user, password, err)
		}
	}
}

func FuzzParsePlain(f *testing.F) {
	f.Add([]byte("\x00guest\x00guest"))
	f.Add([]byte("id\x00user\x00"))
	f.Add([]byte("\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, response []byte) {
		user, password, err := ParsePlain(response)
		if err == nil && "\x00"+user+"\x00"+password != string(response) {
			t.Errorf("%q gives %q and %q", response, user, password)
		}
		if err != nil && (user != "" || password != "" || !errors.Is(err, ErrMalformed)) {
			t.Errorf("%q gives %q and %q with %v", response, user, password, err)
		}
	})
}

func FuzzParseAMQPlain(f *testing.F) {
	f.Add([]byte(amqp.NewTable(map[string]any{"LOGIN": "guest", "PASSWORD": "guest"})))
	f.Add([]byte(amqp.NewTable(map[string]any{"LOGIN": 1, "PASSWORD": nil})))
	f.Fuzz(func(t *testing.T, response []byte) {
		user, password, err := ParseAMQPlain(response)
		if err != nil {
			if user != "" || password != "" || !errors.Is(err, ErrMalformed) {
				t.Errorf("%q gives %q and %q with %v", response, user, password, err)
			}
			return
		}
		fields := amqp.Table(response).Map()
		if _, ok := fields["LOGIN"].(string); !ok || len(user)+len(password) > len(response) {
			t.Errorf("%q gives %q and %q", response, user, password)
		}
	})
}
