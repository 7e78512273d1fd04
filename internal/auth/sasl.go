package auth

import (
	"bytes"
	"errors"

	"github.com/warrenmq/warren/amqp"
)

// ErrMalformed is the mistake of a client that does not speak its mechanism. It is no refused
// login: RabbitMQ answers it by ending the connection without a word.
var ErrMalformed = errors.New("malformed SASL response")

// ParsePlain reads the response of the mechanism PLAIN:
//
//	| 0 | user | 0 | password |
//
// RFC 4616 has an identity to act as before the first zero byte. Nobody acts as another here:
// a response with one is malformed, as for RabbitMQ. User and password may be empty; a login
// with them is refused later. The error is ErrMalformed.
func ParsePlain(response []byte) (user, password string, err error) {
	rest, found := bytes.CutPrefix(response, []byte{0})
	name, word, separated := bytes.Cut(rest, []byte{0})
	if !found || !separated || bytes.IndexByte(word, 0) >= 0 {
		return "", "", ErrMalformed
	}
	return string(name), string(word), nil
}

// ParseAMQPlain reads the response of the mechanism AMQPLAIN: a field table without its
// length, with the texts LOGIN and PASSWORD, which may be empty; of two fields of one name the
// first counts. The error is ErrMalformed.
func ParseAMQPlain(response []byte) (user, password string, err error) {
	t := amqp.Table(response)
	if t.Validate() != nil {
		return "", "", ErrMalformed
	}
	login, ok := t.Lookup("LOGIN")
	if !ok {
		return "", "", ErrMalformed
	}
	secret, ok := t.Lookup("PASSWORD")
	if !ok {
		return "", "", ErrMalformed
	}
	name, isText := login.Text()
	word, isTextToo := secret.Text()
	if !isText || !isTextToo {
		return "", "", ErrMalformed
	}
	return string(name), string(word), nil
}
