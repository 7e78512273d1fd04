package auth

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestPasswordHashes(t *testing.T) {
	for _, algorithm := range []string{HashArgon2id, HashSHA256, HashSHA512} {
		hash, err := HashPassword(algorithm, "secret")
		if err != nil {
			t.Fatal(err)
		}
		if !VerifyPassword(algorithm, hash, "secret") || VerifyPassword(algorithm, hash, "Secret") {
			t.Errorf("%s: a hash does not tell its password from another", algorithm)
		}
		again, _ := HashPassword(algorithm, "secret")
		if string(hash) == string(again) {
			t.Errorf("%s: two hashes of one password have the same salt", algorithm)
		}
		if err := CheckHash(algorithm, hash); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		if err := CheckHash(algorithm, nil); err != nil {
			t.Errorf("%s: the hash of no password: %v", algorithm, err)
		}
		for _, other := range [][]byte{nil, hash[:len(hash)-1], append(hash, 0)} {
			if VerifyPassword(algorithm, other, "secret") {
				t.Errorf("%s: a hash of %d bytes was accepted", algorithm, len(other))
			}
			if len(other) > 0 && CheckHash(algorithm, other) == nil {
				t.Errorf("%s: a hash of %d bytes passed the check", algorithm, len(other))
			}
		}
	}
}

func TestHashesOfRabbitMQAreUnderstood(t *testing.T) {
	for _, c := range []struct{ algorithm, hash, password string }{
		// The example of RabbitMQ's documentation.
		{"", "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR", "test12"},
		{HashSHA256, "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR", "test12"},
		// What RabbitMQ 3.10 makes of the salt 1, 2, 3, 4.
		{HashSHA256, "AQIDBAO9p3dPKhIHOt/iH3FWOTm8ShLDdng5mu4y0QLb6Cq5", "test12"},
		{HashSHA512, "AQIDBEasi57qQmKrKS3hT/tToZQTSGe0aIxheFJPzONWfcZLALq7JlkjIrc4zKmzoCl2i5li" +
			"gSzH2lxUTbywDEUALuc=", "test12"},
		{HashMD5, "AQIDBDeBuuH8ubD+6IsvjTP2It8=", "test12"},
	} {
		hash, err := base64.StdEncoding.DecodeString(c.hash)
		if err != nil {
			t.Fatal(err)
		}
		if !VerifyPassword(c.algorithm, hash, c.password) ||
			VerifyPassword(c.algorithm, hash, c.password+"x") {
			t.Errorf("%+v does not tell its password from another", c)
		}
	}
}

func TestAlgorithmsForNewPasswords(t *testing.T) {
	for _, algorithm := range []string{HashMD5, "", "rabbit_password_hashing_sha1"} {
		if _, err := HashPassword(algorithm, "secret"); err == nil {
			t.Errorf("a password was hashed with %q", algorithm)
		}
	}
	if VerifyPassword("rabbit_password_hashing_sha1", hashed("secret"), "secret") {
		t.Error("an unknown algorithm verified a password")
	}
	if CheckHash("rabbit_password_hashing_sha1", nil) == nil {
		t.Error("an unknown algorithm passed the check")
	}
}

// TestHashesThatCostTooMuchAreOfNoPassword: definitions come from outside, and a hash names what
// it costs to verify.
func TestHashesThatCostTooMuchAreOfNoPassword(t *testing.T) {
	const salt, key = "c2FsdHNhbHRzYWx0", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA"
	good := "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key
	if err := CheckHash(HashArgon2id, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"$argon2id$v=19$m=4194304,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=17,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=9$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + key,
		"$argon2id$v=19$m=064,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1,x$" + salt + "$" + key,
		"$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key,
		"$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$c2Fs$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$MTIz",
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$!",
		"$argon2id$v=19$m=64,t=1,p=1$!$" + key,
		good + "$", good[1:], "$",
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + strings.Repeat("MTIz", 99),
	} {
		if CheckHash(HashArgon2id, []byte(bad)) == nil {
			t.Errorf("%s passed the check", bad)
		}
		if VerifyPassword(HashArgon2id, []byte(bad), "") {
			t.Errorf("%s verified a password", bad)
		}
	}
}

func BenchmarkArgon2(b *testing.B) {
	b.ReportAllocs()
	hash := newArgon2("secret")
	for b.Loop() {
		if !verifyArgon2(hash, "secret") {
			b.Fatal("not verified")
		}
	}
}
