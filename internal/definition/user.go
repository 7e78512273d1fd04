package definition

import (
	"cmp"
	"maps"
	"slices"

	"github.com/warrenmq/warren/amqp"
)

// User is somebody who may log in. What is stored and returned shares its memory with nobody
// who writes to it: the caller does not either.
type User struct {
	Name string
	// PasswordHash is in the form of whoever checks it; empty means no password fits.
	PasswordHash []byte
	// Algorithm is how the hash was made, by the names of package auth; empty is RabbitMQ's salted
	// SHA-256, as for users of before there were others.
	Algorithm string
	// Tags, such as "administrator", say what a user may do beyond messaging.
	Tags []string
}

// Permission is what a user may do in a vhost: regular expressions over the names of
// resources, as text. Package auth reads them.
type Permission struct {
	User, VHost, Configure, Write, Read string
}

// access is what a permission is about.
type access struct{ user, vhost string }

// PutUser makes a user, or replaces the one of that name, who keeps permissions and limits.
func (s *State) PutUser(u User) (created bool) {
	_, existed := s.users[u.Name]
	u.PasswordHash, u.Tags = slices.Clone(u.PasswordHash), slices.Clone(u.Tags)
	s.users[u.Name] = u
	return !existed
}

// DeleteUser deletes a user with permissions and limits, and reports whether there was one.
func (s *State) DeleteUser(name string) (existed bool) {
	_, existed = s.users[name]
	delete(s.users, name)
	delete(s.userLimits, name)
	s.topics.drop(func(p *TopicPermission) bool { return p.User == name })
	maps.DeleteFunc(s.permissions, func(a access, _ Permission) bool { return a.user == name })
	return existed
}

// User returns the user of that name.
func (s *State) User(name string) (User, bool) {
	u, ok := s.users[name]
	return u, ok
}

// Users returns the names of all users, sorted.
func (s *State) Users() []string { return slices.Sorted(maps.Keys(s.users)) }

// PutPermission gives a user access to a vhost, or replaces what was given. It refuses with
// NOT_FOUND when there is no such user or vhost.
func (s *State) PutPermission(p Permission) *amqp.Error {
	if err := s.known(p.User, p.VHost); err != nil {
		return err
	}
	s.permissions[access{p.User, p.VHost}] = p
	return nil
}

// known tells which of a user and a vhost is not there.
func (s *State) known(user, vhost string) *amqp.Error {
	if _, ok := s.users[user]; !ok {
		return amqp.NewError(amqp.NotFound, "no user '%s'", user)
	}
	if s.vhosts[vhost] == nil {
		return amqp.NewError(amqp.NotFound, "no vhost '%s'", vhost)
	}
	return nil
}

// ClearPermission takes a user's access to a vhost away, and reports whether there was any.
func (s *State) ClearPermission(user, vhost string) (existed bool) {
	a := access{user, vhost}
	_, existed = s.permissions[a]
	delete(s.permissions, a)
	return existed
}

// Permission returns what a user may do in a vhost. A user without one may not open it.
func (s *State) Permission(user, vhost string) (Permission, bool) {
	p, ok := s.permissions[access{user, vhost}]
	return p, ok
}

// Permissions returns all permissions, in the order of users and then vhosts.
func (s *State) Permissions() []Permission {
	return slices.SortedFunc(maps.Values(s.permissions), func(a, b Permission) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.VHost, b.VHost))
	})
}
