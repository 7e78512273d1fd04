package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// fingerprint stands for a name, a password, and the hash it was compared with. It tells nothing
// about them without the key, which is of this process and in its memory only. A user whose
// password changes, or who is deleted, has no verdicts any more: they are of another hash.
type fingerprint [sha256.Size]byte

// printKey is the key of fingerprints.
type printKey [sha256.Size]byte

func newPrintKey() (k printKey) {
	_, _ = rand.Read(k[:]) // never fails, see its documentation
	return k
}

func (k *printKey) print(name, password, algorithm string, stored []byte) (p fingerprint) {
	h := hmac.New(sha256.New, k[:])
	var length [4]byte
	for _, part := range [...]string{name, password, algorithm} {
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		_, _ = h.Write(length[:])
		_, _ = h.Write([]byte(part))
	}
	_, _ = h.Write(stored)
	h.Sum(p[:0])
	return p
}

// verdictsMax bounds the verdicts of one kind that are remembered, those in use and as many that
// were not used since the last turn: 32 bytes each.
const verdictsMax = 4096

// verdicts remembers fingerprints, at least the last verdictsMax that were used. It is safe for
// concurrent use.
type verdicts struct {
	mu         sync.Mutex
	young, old map[fingerprint]struct{}
}

func (v *verdicts) has(p fingerprint) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.young[p]; ok {
		return true
	}
	if _, ok := v.old[p]; !ok {
		return false
	}
	v.put(p)
	return true
}

func (v *verdicts) add(p fingerprint) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.put(p)
}

// put makes p young; mu is held.
func (v *verdicts) put(p fingerprint) {
	if v.young == nil || len(v.young) >= verdictsMax {
		v.old, v.young = v.young, make(map[fingerprint]struct{})
	}
	v.young[p] = struct{}{}
}
