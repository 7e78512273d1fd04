package management

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
)

// hidden stands for a secret.
const hidden = "******"

// redacted returns JSON without what looks like a secret: passwords in URIs, and the values of keys
// that say so. Definitions that are exported have them.
func redacted(text string) string {
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	var v any
	if in.Decode(&v) != nil {
		return "null"
	}
	clean, secret := withoutSecrets(v)
	if !secret {
		return text
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(clean) != nil {
		return "null"
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// withoutSecrets changes v, which nests as deep as what clients may send.
func withoutSecrets(v any) (clean any, secret bool) {
	switch v := v.(type) {
	case string:
		return withoutPassword(v)
	case []any:
		for i := range v {
			one, found := withoutSecrets(v[i])
			v[i], secret = one, secret || found
		}
	case map[string]any:
		for key, field := range v {
			one, found := withoutSecrets(field)
			if isSecret(key) {
				one, found = hidden, true
			}
			v[key], secret = one, secret || found
		}
	}
	return v, secret
}

// isSecret reports whether a key is that of a secret.
func isSecret(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"password", "passwd", "secret", "token", "credential"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// withoutPassword hides the password of a URI; of one that cannot be read, everything that names
// the user.
func withoutPassword(text string) (clean string, secret bool) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text, false
	}
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return withoutSecretQuery(text)
	}
	user, _, hasPassword := strings.Cut(authority[:at], ":")
	if !hasPassword {
		return withoutSecretQuery(text)
	}
	clean, _ = withoutSecretQuery(scheme + "://" + user + ":" + hidden + rest[at:])
	return clean, true
}

// withoutSecretQuery hides what the query of a URI says of secrets.
func withoutSecretQuery(text string) (clean string, secret bool) {
	before, query, ok := strings.Cut(text, "?")
	if !ok {
		return text, false
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		key, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(key); err != nil || isSecret(plain) {
			parts[i], secret = key+"="+hidden, true
		}
	}
	return before + "?" + strings.Join(parts, "&"), secret
}
