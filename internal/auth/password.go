package auth

import (
	"crypto/md5" //nolint:gosec // only to verify what an old RabbitMQ has hashed
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
	"slices"
)

// The names of the ways to hash a password, as definitions have them in hashing_algorithm. Those
// of RabbitMQ are
//
//	| salt 4 | H(salt + password) |
//
// so that definitions move between the two. HashArgon2id is what new passwords get unless the
// node is told otherwise, see argon2.go; RabbitMQ cannot verify it.
const (
	HashArgon2id = "argon2id"
	HashSHA256   = "rabbit_password_hashing_sha256"
	HashSHA512   = "rabbit_password_hashing_sha512"
	HashMD5      = "rabbit_password_hashing_md5" // verified, never made
)

const saltLen = 4

// salted is a hash of RabbitMQ's.
type salted struct {
	name string
	size int // of the digest
	new  func() hash.Hash
}

var saltedHashes = [...]salted{
	{HashSHA256, sha256.Size, sha256.New},
	{HashSHA512, sha512.Size, sha512.New},
	{HashMD5, md5.Size, md5.New},
}

func saltedHash(algorithm string) (salted, bool) {
	i := slices.IndexFunc(saltedHashes[:], func(s salted) bool { return s.name == algorithm })
	if i < 0 {
		return salted{}, false
	}
	return saltedHashes[i], true
}

// HashAlgorithm is the algorithm of a stored hash that does not say it: older versions hashed
// with SHA-256 and did not write that down.
func HashAlgorithm(stored string) string {
	if stored == "" {
		return HashSHA256
	}
	return stored
}

// MayHash says why new passwords cannot be hashed with an algorithm; nil: they can.
func MayHash(algorithm string) error {
	switch algorithm {
	case HashArgon2id, HashSHA256, HashSHA512:
		return nil
	case HashMD5:
		return fmt.Errorf("passwords hashed with %s are verified, new ones are not made",
			HashMD5)
	}
	return fmt.Errorf("password hashing %q is none of %s, %s, %s", algorithm,
		HashArgon2id, HashSHA256, HashSHA512)
}

// HashPassword returns the hash of a password with a fresh salt. The error is that of MayHash.
// With HashArgon2id it takes some milliseconds and megabytes: Internal.Hash bounds how many
// do so at once.
func HashPassword(algorithm, password string) ([]byte, error) {
	if err := MayHash(algorithm); err != nil {
		return nil, err
	}
	if algorithm == HashArgon2id {
		return newArgon2(password), nil
	}
	s, _ := saltedHash(algorithm)
	stored := make([]byte, saltLen, saltLen+s.size)
	_, _ = rand.Read(stored) // never fails, see its documentation
	return append(stored, s.digest(stored, password)...), nil
}

// VerifyPassword reports whether a hash is of a password, in time that does not depend on
// where they differ. A hash of another form than its algorithm's, the empty one included, and
// one of an unknown algorithm is of no password. An empty algorithm is SHA-256.
func VerifyPassword(algorithm string, stored []byte, password string) bool {
	algorithm = HashAlgorithm(algorithm)
	if algorithm == HashArgon2id {
		return verifyArgon2(stored, password)
	}
	s, ok := saltedHash(algorithm)
	if !ok || len(stored) != saltLen+s.size {
		return false
	}
	return subtle.ConstantTimeCompare(stored[saltLen:], s.digest(stored, password)) == 1
}

// CheckHash says what is wrong with a hash that comes from elsewhere: an algorithm that is not
// known, a form that is not its own, or work that a login must not cost. The empty hash, of no
// password, is right.
func CheckHash(algorithm string, stored []byte) error {
	algorithm = HashAlgorithm(algorithm)
	if algorithm == HashArgon2id {
		if len(stored) == 0 {
			return nil
		}
		_, err := parseArgon2(stored)
		return err
	}
	s, ok := saltedHash(algorithm)
	if !ok {
		return fmt.Errorf("password hashing %q is none of %s, %s, %s, %s", algorithm,
			HashArgon2id, HashSHA256, HashSHA512, HashMD5)
	}
	if n := len(stored); n != 0 && n != saltLen+s.size {
		return fmt.Errorf("a hash of %s has %d bytes, not %d", algorithm, saltLen+s.size, n)
	}
	return nil
}

// digest hashes a password with the salt that stored begins with.
func (s *salted) digest(stored []byte, password string) []byte {
	h := s.new()
	_, _ = h.Write(stored[:saltLen])
	_, _ = h.Write([]byte(password))
	return h.Sum(nil)
}
