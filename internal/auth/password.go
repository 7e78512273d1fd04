package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
)

// A password hash is RabbitMQ's, so that definitions move between the two:
//
//	| salt 4 | SHA-256(salt + password) 32 |
const (
	saltLen = 4
	hashLen = saltLen + sha256.Size
)

// unknownUserHash belongs to no password.
var unknownUserHash = make([]byte, hashLen)

// HashPassword returns the hash of a password with a fresh salt.
func HashPassword(password string) []byte {
	hash := make([]byte, saltLen, hashLen)
	_, _ = rand.Read(hash) // never fails, see its documentation
	return append(hash, digest(hash, password)...)
}

// VerifyPassword reports whether a hash is of a password, in time that does not depend on
// where they differ. A hash of another form, the empty one included, is of no password.
func VerifyPassword(hash []byte, password string) bool {
	if len(hash) != hashLen {
		return false
	}
	return subtle.ConstantTimeCompare(hash[saltLen:], digest(hash[:saltLen], password)) == 1
}

func digest(salt []byte, password string) []byte {
	sum := sha256.Sum256(append(salt[:saltLen:saltLen], password...))
	return sum[:]
}
