package broker

import (
	"cmp"
	"context"
	"fmt"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/pattern"
)

// Seed is what a node declares by itself: a first vhost and user, and what comes with each new
// vhost. What is there already is left alone. An empty pattern of vhosts matches all.
type Seed struct {
	// VHost is the first vhost of a data directory that has none; default "/".
	VHost string
	// Tags are those of the first user; nil means administrator.
	Tags []string
	// Configure, Write and Read are the first user's permissions on VHost; default ".*".
	Configure, Write, Read string
	// Users come with new vhosts that match: who is not there is made, and all get permissions.
	Users []SeedUser
	// Limits are those of new vhosts: the first that match.
	Limits []SeedLimits
	// OperatorPolicies are put into new vhosts that match.
	OperatorPolicies []SeedPolicy
}

// SeedUser is a user that comes with vhosts. Without a password nobody can log in.
type SeedUser struct {
	VHosts                 string // a pattern
	Name, Password         string
	Tags                   []string
	Configure, Write, Read string
}

// SeedLimits are limits that come with vhosts.
type SeedLimits struct {
	VHosts string // a pattern
	Limits definition.Limits
}

// SeedPolicy is an operator policy that comes with vhosts.
type SeedPolicy struct {
	VHosts string // a pattern
	Policy definition.Policy
}

func matches(text, name string) bool {
	p, err := pattern.Compile(text)
	return err == nil && p.MatchString(name)
}

// check says what is wrong with a seed: it is tried on a vhost of the state, which is thrown away.
func (s *Seed) check(state *definition.State) error {
	state.PutVHost("")
	v, _ := state.VHost("")
	patterns := []string{s.Configure, s.Write, s.Read}
	for _, u := range s.Users {
		if err := checkName("user", u.Name); err != nil {
			return err
		}
		patterns = append(patterns, u.VHosts, u.Configure, u.Write, u.Read)
	}
	for _, l := range s.Limits {
		if err := definition.CheckVHostLimits(l.Limits); err != nil {
			return err
		}
		patterns = append(patterns, l.VHosts)
	}
	for _, p := range s.OperatorPolicies {
		if _, err := v.PutOperatorPolicy(p.Policy); err != nil {
			return fmt.Errorf("operator policy %q: %w", p.Policy.Name, err)
		}
		patterns = append(patterns, p.VHosts)
	}
	if err := checkPatterns(patterns...); err != nil {
		return err
	}
	return nil
}

// settler is a user that comes with a vhost, and what the user may do there.
type settler struct {
	user       definition.User
	permission definition.Permission
}

// settlers returns who comes with a vhost. It takes the time to hash passwords of those who are
// not there.
func (m *Manager) settlers(vhost string) (list []settler, err error) {
	for _, u := range m.seed.Users {
		if !matches(u.VHosts, vhost) {
			continue
		}
		s := settler{definition.User{Name: u.Name, Tags: u.Tags}, definition.Permission{
			User: u.Name, VHost: vhost, Configure: u.Configure, Write: u.Write, Read: u.Read,
		}}
		if _, known := m.User(u.Name); !known && u.Password != "" {
			s.user.PasswordHash, s.user.Algorithm, err = m.hash(u.Password)
			if err != nil {
				return nil, err
			}
		}
		list = append(list, s)
	}
	return list, nil
}

func (m *Manager) hash(password string) (hash []byte, algorithm string, err error) {
	return m.auth.Hash(context.Background(), password)
}

// settle makes a user that is not there, and gives permissions; m.mu is held.
func (m *Manager) settle(s *settler, log *journal) {
	if _, known := m.state.User(s.user.Name); !known {
		m.state.PutUser(s.user)
		log.add(definition.Command{Kind: definition.PutUserKind, User: s.user})
	}
	if err := m.state.PutPermission(s.permission); err == nil {
		m.permissionsChanged(s.permission.VHost)
		log.add(definition.Command{
			Kind: definition.PutPermissionKind, Permission: s.permission,
		})
	}
}

// makeVHost makes a vhost with all that comes with it, unless it is there; m.mu is held.
func (m *Manager) makeVHost(name string, with []settler, log *journal) (created bool) {
	created = m.state.PutVHost(name)
	// Also when it exists: whoever makes it may still be writing that.
	log.add(definition.Command{Kind: definition.PutVHostKind, VHost: name})
	if !created {
		return false
	}
	v := m.addVHost(name) // which nobody else sees yet
	for i := range m.seed.Limits {
		if l := &m.seed.Limits[i]; matches(l.VHosts, name) {
			v.definitions.PutLimits(l.Limits)
			log.add(definition.Command{
				Kind: definition.PutVHostLimitsKind, VHost: name, Limits: l.Limits,
			})
			break
		}
	}
	for i := range m.seed.OperatorPolicies {
		p := &m.seed.OperatorPolicies[i]
		if !matches(p.VHosts, name) {
			continue
		}
		if _, err := v.definitions.PutOperatorPolicy(p.Policy); err == nil {
			log.add(definition.Command{
				Kind: definition.PutOperatorPolicyKind, VHost: name, Policy: p.Policy,
			})
		}
	}
	for i := range with {
		m.settle(&with[i], log)
	}
	return true
}

// makeDefaults gives a data directory its first vhost and its first user, when it has none. A crash
// leaves all of it or nothing.
func (m *Manager) makeDefaults(user, password string) error {
	name := cmp.Or(m.seed.VHost, "/")
	noVHost, noUser := len(m.VHosts()) == 0, len(m.Users()) == 0 && user != ""
	var with []settler
	var err error
	if noUser {
		first, err := m.firstUser(user, password, name)
		if err != nil {
			return err
		}
		with = append(with, first)
	}
	if noVHost {
		others, err := m.settlers(name)
		if err != nil {
			return err
		}
		with = append(with, others...)
	}
	if len(with) == 0 && !noVHost {
		return nil
	}
	failed := m.administer(func(log *journal) *amqp.Error {
		if noVHost {
			m.makeVHost(name, nil, log)
		}
		for i := range with {
			m.settle(&with[i], log)
		}
		return nil
	})
	if failed != nil {
		err = failed
	}
	return err
}

// firstUser returns the user of a data directory that has none.
func (m *Manager) firstUser(name, password, vhost string) (s settler, err error) {
	s.user = definition.User{Name: name, Tags: m.seed.Tags}
	if s.user.Tags == nil {
		s.user.Tags = []string{"administrator"}
	}
	s.permission = definition.Permission{
		User: name, VHost: vhost, Configure: cmp.Or(m.seed.Configure, ".*"),
		Write: cmp.Or(m.seed.Write, ".*"), Read: cmp.Or(m.seed.Read, ".*"),
	}
	s.user.PasswordHash, s.user.Algorithm, err = m.hashFirst(name, password)
	return s, err
}

// hashFirst hashes the password of the first user. That of guest everybody knows: there is nothing
// that a slow hash would protect.
func (m *Manager) hashFirst(user, password string) (hash []byte, algorithm string, err error) {
	if user == "guest" && password == "guest" {
		hash, err = auth.HashPassword(auth.HashSHA256, password)
		return hash, auth.HashSHA256, err
	}
	return m.hash(password)
}
