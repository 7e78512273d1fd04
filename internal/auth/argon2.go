package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A hash with argon2id is text in the form of the password hashing competition, so that its
// costs may change without those that are stored:
//
//	$argon2id$v=19$m=7168,t=5,p=1$<salt, base64>$<key, base64>
//
// The costs are one of the equal choices that OWASP gives, the one with the least memory: a login
// that has to be computed takes 7 MiB for some milliseconds, and two of them run at once at most.
const (
	argonMemory  = 7168 // KiB
	argonTime    = 5
	argonThreads = 1
	argonSaltLen = 16
	argonKeyLen  = 32
)

// What the hash of somebody else may cost, at most: passwords are verified with the costs that
// their hash names, and definitions come from outside.
const (
	argonMemoryMax  = 64 << 10 // KiB
	argonTimeMax    = 16
	argonThreadsMax = 8
	argonTextMax    = 256 // bytes of the whole text
	argonSaltMin    = 8
	argonKeyMin     = 16
)

// argonHash is a hash taken apart.
type argonHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

var errArgonForm = errors.New("a hash of argon2id is not of the form " +
	"$argon2id$v=19$m=…,t=…,p=…$salt$key")

func newArgon2(password string) []byte {
	h := argonHash{
		memory: argonMemory, time: argonTime, threads: argonThreads,
		salt: make([]byte, argonSaltLen), key: make([]byte, argonKeyLen),
	}
	_, _ = rand.Read(h.salt) // never fails, see its documentation
	h.key = h.derive(password)
	return h.text()
}

// decoy is the hash of no password that anybody knows, for those who have none. It takes as long
// to verify as that of a user.
func decoy() []byte {
	h := argonHash{
		memory: argonMemory, time: argonTime, threads: argonThreads,
		salt: make([]byte, argonSaltLen), key: make([]byte, argonKeyLen),
	}
	_, _ = rand.Read(h.salt) // never fails, see its documentation
	_, _ = rand.Read(h.key)
	return h.text()
}

func verifyArgon2(stored []byte, password string) bool {
	h, err := parseArgon2(stored)
	return err == nil && subtle.ConstantTimeCompare(h.key, h.derive(password)) == 1
}

func (h *argonHash) derive(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
}

func (h *argonHash) text() []byte {
	return fmt.Appendf(nil, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.memory, h.time, h.threads, base64.RawStdEncoding.EncodeToString(h.salt),
		base64.RawStdEncoding.EncodeToString(h.key))
}

func parseArgon2(stored []byte) (h argonHash, err error) {
	if len(stored) > argonTextMax {
		return h, errArgonForm
	}
	parts := strings.Split(string(stored), "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != HashArgon2id ||
		parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errArgonForm
	}
	n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads)
	if err != nil || n != 3 {
		return h, errArgonForm
	}
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return h, errArgonForm
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return h, errArgonForm
	}
	if string(h.text()) != string(stored) || len(h.salt) < argonSaltMin ||
		len(h.key) < argonKeyMin || h.time < 1 || h.threads < 1 {
		return h, errArgonForm
	}
	if h.memory > argonMemoryMax || h.time > argonTimeMax || h.threads > argonThreadsMax {
		return h, fmt.Errorf("a hash of argon2id costs m=%d,t=%d,p=%d, at most m=%d,t=%d,p=%d",
			h.memory, h.time, h.threads, argonMemoryMax, argonTimeMax, argonThreadsMax)
	}
	return h, nil
}
