package config

import (
	"github.com/warrenmq/warren"
)

// notInternal is why a back end for logins other than the node's own users is refused: to go on
// without it would let in whom it would not.
const notInternal = "only internal judges logins"

func accessKeys() []Key {
	backEnd := Type{Name: "internal", parse: func(text string) (value, error) {
		if text == "rabbit_auth_backend_internal" {
			text = "internal"
		}
		return only("internal", notInternal).parse(text)
	}}
	return []Key{
		{Name: "loopback_users.$user", Type: boolean(),
			Meaning: "whether a user may log in from this machine only; guest may, unless false",
			set:     loopbackUser},
		{Name: "loopback_users", Type: only("none", "name users: loopback_users.guest = true"),
			Meaning: "everybody may log in from everywhere",
			set:     func(s *Settings, _ value) { s.Options.Access.LoopbackUsers = []string{} }},
		{Name: "auth_mechanisms.$number", Type: oneOf("PLAIN", "AMQPLAIN", "EXTERNAL"),
			Meaning: "a mechanism that clients may log in with; default all",
			set: func(s *Settings, v value) {
				a := &s.Options.Access
				a.Mechanisms = append(a.Mechanisms, v.text)
			}},
		{Name: "auth_backends.$number", Type: backEnd, Meaning: "who judges logins", set: nothing},
		{Name: "auth_backends.$number.authn", Type: backEnd, Meaning: "the same", set: nothing},
		{Name: "auth_backends.$number.authz", Type: backEnd, Meaning: "the same", set: nothing},
		{Name: "password_hashing_module", Type: oneOf("argon2id",
			"rabbit_password_hashing_sha256", "rabbit_password_hashing_sha512"),
			Default: "argon2id",
			Meaning: "what new passwords are hashed with; those of RabbitMQ's can move to one",
			set:     func(s *Settings, v value) { s.Options.Access.Hashing = v.text }},
		{Name: "ssl_cert_login_from", Type: oneOf("distinguished_name", "common_name",
			"subject_alternative_name", "subject_alt_name"), Default: "distinguished_name",
			Meaning: "what of a client's certificate is the name of the user, with EXTERNAL",
			set:     func(s *Settings, v value) { s.Options.Access.CertificateFrom = v.text }},
		{Name: "ssl_cert_login_san_type", Type: oneOf("dns", "ip", "email", "uri"),
			Default: "dns", Meaning: "which of its alternative names",
			set: func(s *Settings, v value) { s.Options.Access.SANType = v.text }},
		{Name: "ssl_cert_login_san_index", Type: integer(0, 1000), Default: "0",
			Meaning: "and of several the first, 0, or a later one",
			set:     func(s *Settings, v value) { s.Options.Access.SANIndex = int(v.number) }},
	}
}

// loopbackUser puts a user into the list of those who stay on this machine, or takes guest out.
func loopbackUser(s *Settings, v value) {
	a := &s.Options.Access
	if a.LoopbackUsers == nil {
		a.LoopbackUsers = []string{"guest"}
	}
	kept := []string{}
	for _, user := range a.LoopbackUsers {
		if user != v.at[0] {
			kept = append(kept, user)
		}
	}
	if v.on {
		kept = append(kept, v.at[0])
	}
	a.LoopbackUsers = kept
}

func seedKeys() []Key {
	keys := []Key{
		{Name: "default_vhost", Type: anyText(), Default: "/",
			Meaning: "the first vhost of a data directory that has none",
			set:     func(s *Settings, v value) { s.Options.Seed.VHost = v.text }},
		{Name: "default_user", Type: anyText(), Default: "guest", Meaning: "its first user",
			set: func(s *Settings, v value) { s.Options.DefaultUser = v.text }},
		{Name: "default_pass", Type: secret(), Default: "guest", Meaning: "that user's password",
			set: func(s *Settings, v value) { s.Options.DefaultPassword = v.text }},
		{Name: "default_user_tags.$tag", Type: boolean(),
			Meaning: "whether that user has a tag; default administrator",
			set: func(s *Settings, v value) {
				seed := &s.Options.Seed
				if seed.Tags == nil {
					seed.Tags = []string{}
				}
				if v.on {
					seed.Tags = append(seed.Tags, v.at[0])
				}
			}},
		{Name: "default_permissions.configure", Type: pattern(), Default: ".*",
			Meaning: "what that user may declare and delete in that vhost",
			set:     func(s *Settings, v value) { s.Options.Seed.Configure = v.text }},
		{Name: "default_permissions.write", Type: pattern(), Default: ".*",
			Meaning: "and publish to",
			set:     func(s *Settings, v value) { s.Options.Seed.Write = v.text }},
		{Name: "default_permissions.read", Type: pattern(), Default: ".*",
			Meaning: "and consume from",
			set:     func(s *Settings, v value) { s.Options.Seed.Read = v.text }},
	}
	keys = append(keys, seedUserKeys()...)
	keys = append(keys, seedLimitKeys()...)
	keys = append(keys, seedPolicyKeys()...)
	return append(keys, importKeys()...)
}

// seedUserKeys are those of users that are made with vhosts.
func seedUserKeys() []Key {
	user := func(name string, t Type, meaning string, set func(*warren.SeedUser, value)) Key {
		return Key{Name: "default_users.$user." + name, Type: t, Meaning: meaning,
			set: func(s *Settings, v value) {
				users := &s.Options.Seed.Users
				for i := range *users {
					if (*users)[i].Name == v.at[0] {
						set(&(*users)[i], v)
						return
					}
				}
				u := warren.SeedUser{Name: v.at[0]}
				set(&u, v)
				*users = append(*users, u)
			}}
	}
	return []Key{
		user("vhost_pattern", pattern(), "a user that is made with the vhosts of such names",
			func(u *warren.SeedUser, v value) { u.Pattern = v.text }),
		user("password", secret(), "its password; without one nobody can log in as it",
			func(u *warren.SeedUser, v value) { u.Password = v.text }),
		user("tags", list(), "its tags", func(u *warren.SeedUser, v value) { u.Tags = v.words() }),
		user("configure", pattern(), "what it may declare and delete",
			func(u *warren.SeedUser, v value) { u.Configure = v.text }),
		user("write", pattern(), "and publish to",
			func(u *warren.SeedUser, v value) { u.Write = v.text }),
		user("read", pattern(), "and consume from",
			func(u *warren.SeedUser, v value) { u.Read = v.text }),
	}
}

// seedLimitKeys are those of the limits of new vhosts.
func seedLimitKeys() []Key {
	limit := func(name string, t Type, meaning string, set func(*warren.SeedLimits, value)) Key {
		return Key{Name: "default_limits.vhosts.$id." + name, Type: t, Meaning: meaning,
			set: func(s *Settings, v value) {
				limits := &s.Options.Seed.VHostLimits
				for i := range *limits {
					if (*limits)[i].Name == v.at[0] {
						set(&(*limits)[i], v)
						return
					}
				}
				l := warren.SeedLimits{Name: v.at[0]}
				set(&l, v)
				*limits = append(*limits, l)
			}}
	}
	return []Key{
		limit("pattern", pattern(), "limits of new vhosts of such names",
			func(l *warren.SeedLimits, v value) { l.Pattern = v.text }),
		limit("max_connections", integer(1, 1<<31), "how many connections",
			func(l *warren.SeedLimits, v value) { l.Connections = v.number }),
		limit("max_queues", integer(1, 1<<31), "how many queues",
			func(l *warren.SeedLimits, v value) { l.Queues = v.number }),
	}
}

// seedPolicyKeys are those of operator policies of new vhosts.
func seedPolicyKeys() []Key {
	policy := func(name string, t Type, meaning string, set func(*warren.SeedPolicy, value)) Key {
		return Key{Name: "default_policies.operator.$id." + name, Type: t, Meaning: meaning,
			set: func(s *Settings, v value) {
				policies := &s.Options.Seed.OperatorPolicies
				for i := range *policies {
					if (*policies)[i].Name == v.at[0] {
						set(&(*policies)[i], v)
						return
					}
				}
				p := warren.SeedPolicy{Name: v.at[0], Definition: map[string]any{}}
				set(&p, v)
				*policies = append(*policies, p)
			}}
	}
	sets := func(key string, scale int64) func(*warren.SeedPolicy, value) {
		return func(p *warren.SeedPolicy, v value) { p.Definition[key] = v.number / scale }
	}
	const millisecond = 1e6
	number := integer(1, 1<<62)
	keys := []Key{
		policy("vhost_pattern", pattern(), "an operator policy of new vhosts of such names",
			func(p *warren.SeedPolicy, v value) { p.VHosts = v.text }),
		policy("queue_pattern", pattern(), "for queues of such names",
			func(p *warren.SeedPolicy, v value) { p.Queues = v.text }),
		policy("apply_to", oneOf("queues", "classic_queues", "quorum_queues", "streams", "all"),
			"and types; default queues",
			func(p *warren.SeedPolicy, v value) { p.ApplyTo = v.text }),
		policy("expires", span(), "sets expires", sets("expires", millisecond)),
		policy("message_ttl", span(), "sets message-ttl", sets("message-ttl", millisecond)),
		policy("max_length", number, "sets max-length", sets("max-length", 1)),
		policy("max_length_bytes", bytes(), "sets max-length-bytes", sets("max-length-bytes", 1)),
		policy("delivery_limit", number, "sets delivery-limit", sets("delivery-limit", 1)),
	}
	return keys
}

// importKeys are those of definitions that are read when the node starts.
func importKeys() []Key {
	path := func(s *Settings, v value) {
		s.Options.Import.Paths = append(s.Options.Import.Paths, v.text)
	}
	return []Key{
		{Name: "load_definitions", Also: "management.load_definitions", Type: readable(), set: path,
			Meaning: "a file with definitions that is imported at each start, or a folder of them"},
		{Name: "definitions.local.path", Type: readable(), set: path, Meaning: "the same"},
		{Name: "definitions.import_backend", Type: oneOf("local_filesystem", "local", "https",
			"http", "rabbit_definitions_import_local_filesystem",
			"rabbit_definitions_import_https"),
			Meaning: "where definitions come from; the other keys say so too",
			set:     nothing},
		{Name: "definitions.https.url", Type: anyText(), Meaning: "where they are fetched from",
			set: func(s *Settings, v value) { s.Options.Import.URL = v.text }},
		{Name: "definitions.tls.cacertfile", Type: readable(),
			Meaning: "file with the authorities that the other side is trusted by",
			set: func(s *Settings, v value) {
				s.Options.Import.CertificateAuthority = v.text
			}},
		{Name: "definitions.skip_if_unchanged", Type: boolean(), Default: "false",
			Meaning: "definitions that an earlier start imported are not imported again",
			set:     func(s *Settings, v value) { s.Options.Import.SkipUnchanged = v.on }},
	}
}
