package auth

import (
	"encoding/base64"
	"testing"
)

func TestPasswordHashes(t *testing.T) {
	hash := HashPassword("secret")
	if !VerifyPassword(hash, "secret") || VerifyPassword(hash, "Secret") {
		t.Error("a hash does not tell its password from another")
	}
	if string(hash) == string(HashPassword("secret")) {
		t.Error("two hashes of one password have the same salt")
	}
	for _, other := range [][]byte{nil, hash[:hashLen-1], append(hash, 0)} {
		if VerifyPassword(other, "secret") {
			t.Errorf("a hash of %d bytes was accepted", len(other))
		}
	}
}

func TestHashesOfRabbitMQAreUnderstood(t *testing.T) {
	// The example of RabbitMQ's documentation.
	hash, err := base64.StdEncoding.DecodeString(
		"kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR")
	if err != nil {
		t.Fatal(err)
	}
	if !VerifyPassword(hash, "test12") || VerifyPassword(hash, "test13") {
		t.Error("the hash does not tell its password from another")
	}
}
