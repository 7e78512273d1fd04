package auth

import (
	"bytes"
	"errors"

	"github.com/warrenmq/warren/amqp"
)

// errResponse is the mistake of a client that does not speak its mechanism.
var errResponse = errors.New("malformed SASL response")

// ParsePlain reads the response of the mechanism PLAIN (RFC 4616): an authorisation identity,
// which is ignored, the user and the password, each after a zero byte.
func ParsePlain(response []byte) (user, password string, err error) {
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 {
		return "", "", errResponse
	}
	return string(parts[1]), string(parts[2]), nil
}

// ParseAMQPlain reads the response of the mechanism AMQPLAIN: a field table without its
// length, with the fields LOGIN and PASSWORD.
func ParseAMQPlain(response []byte) (user, password string, err error) {
	t := amqp.Table(response)
	if t.Validate() != nil {
		return "", "", errResponse
	}
	login, ok := t.Lookup("LOGIN")
	if !ok {
		return "", "", errResponse
	}
	secret, ok := t.Lookup("PASSWORD")
	if !ok {
		return "", "", errResponse
	}
	name, isText := login.Text()
	word, isTextToo := secret.Text()
	if !isText || !isTextToo || len(name) == 0 {
		return "", "", errResponse
	}
	return string(name), string(word), nil
}
