package management

import (
	"encoding/base64"
	"errors"
	"slices"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
)

func userRoutes() []route {
	return []route{
		{method: "GET", path: "/api/users", needs: administrators, do: getUsers, text: "All users",
			query: pageQuery()},
		{method: "GET", path: "/api/users/without-permissions", needs: administrators,
			do: getUsersWithoutPermissions, text: "Users that may use no virtual host",
			query: listQuery()},
		{method: "POST", path: "/api/users/bulk-delete", needs: administrators,
			do: bulkDeleteUsers, text: "Deletes several users", body: "users"},
		{method: "GET", path: "/api/users/:user", needs: administrators, do: getUser,
			text: "A user"},
		{method: "PUT", path: "/api/users/:user", needs: administrators, do: putUser,
			text: "Makes a user, or changes password and tags", body: "user"},
		{method: "DELETE", path: "/api/users/:user", needs: administrators, do: deleteUser,
			text: "Deletes a user with all permissions"},
		{method: "GET", path: "/api/whoami", needs: managers, do: getWhoAmI,
			text: "Who is logged in"},
		{method: "GET", path: "/api/auth/hash_password/:password", needs: administrators,
			do: getHash, text: "The hash of a password, for password_hash"},
	}
}

// userBody is a user as clients and definitions have it.
type userBody struct {
	Name             string  `json:"name"` // of definitions
	Password         *string `json:"password"`
	PasswordHash     *string `json:"password_hash"`
	HashingAlgorithm string  `json:"hashing_algorithm"`
	Tags             *texts  `json:"tags"`
	// Limits are those of definitions: an empty list stands for none.
	Limits limitsBody `json:"limits"`
}

func putUser(q *request) error {
	var body userBody
	if err := q.decode(&body); err != nil {
		return err
	}
	body.Name, body.Limits = q.param("user"), nil
	created, err := q.makeUser(&body)
	if err != nil {
		return err
	}
	return q.created(created)
}

// passwordMax is the longest password, in bytes.
const passwordMax = 4096

// makeUser makes a user, or replaces password and tags of one. Without a password, or with an empty
// one, nobody can log in with a password.
func (q *request) makeUser(body *userBody) (created bool, _ error) {
	switch {
	case body.Tags == nil:
		return false, badRequest("tags_not_present")
	case body.Password != nil && body.PasswordHash != nil:
		return false, badRequest("both_password_and_password_hash_are_provided")
	}
	user := definition.User{Name: body.Name, Tags: *body.Tags}
	if err := q.setPassword(&user, body); err != nil {
		return false, err
	}
	if err := body.Limits.check("user-limits"); err != nil {
		return false, err
	}
	created, refusal := q.h.o.Broker.PutUser(user)
	if refusal == nil && len(body.Limits) > 0 {
		refusal = q.h.o.Broker.PutUserLimits(user.Name, definition.Limits(body.Limits))
	}
	return created, declared(refusal)
}

func (q *request) setPassword(user *definition.User, body *userBody) (err error) {
	switch {
	case body.PasswordHash != nil:
		hash, err := base64.StdEncoding.DecodeString(*body.PasswordHash)
		if err != nil {
			return refused("not_base64", *body.PasswordHash)
		}
		if err := auth.CheckHash(body.HashingAlgorithm, hash); err != nil {
			return badRequest("%v", err)
		}
		user.PasswordHash, user.Algorithm = hash, auth.HashAlgorithm(body.HashingAlgorithm)
	case body.Password == nil || *body.Password == "":
	case len(*body.Password) > passwordMax:
		return badRequest("a password has at most %d octets", passwordMax)
	default:
		user.PasswordHash, user.Algorithm, err = q.hash(*body.Password, body.HashingAlgorithm)
	}
	return err
}

// hash hashes a password, as the node does if no algorithm is given.
func (q *request) hash(password, algorithm string) ([]byte, string, error) {
	if algorithm == "" {
		return q.h.o.Broker.HashPassword(q.Context(), password)
	}
	if err := auth.MayHash(algorithm); err != nil {
		return nil, "", badRequest("%v", err)
	}
	if algorithm == auth.HashArgon2id {
		return q.h.o.Broker.HashPassword(q.Context(), password) // in its turn
	}
	hash, err := auth.HashPassword(algorithm, password)
	return hash, algorithm, err
}

// userOf returns the user of the path, or the error for one that is not there.
func (q *request) userOf() (definition.User, error) {
	if u, ok := q.h.o.Broker.User(q.param("user")); ok {
		return u, nil
	}
	return definition.User{}, notFound()
}

func deleteUser(q *request) error {
	if _, err := q.userOf(); err != nil {
		return err
	}
	if err := q.h.o.Broker.DeleteUser(q.param("user")); err != nil {
		return declared(err)
	}
	return q.done()
}

// bulkDeleteUsers deletes all the users that are named and there. RabbitMQ stops at the first that
// is not.
func bulkDeleteUsers(q *request) error {
	var body struct {
		Users *[]string `json:"users"`
	}
	if err := q.decode(&body); err != nil {
		return err
	}
	if body.Users == nil {
		return missing("users")
	}
	for _, name := range *body.Users {
		if _, ok := q.h.o.Broker.User(name); !ok {
			return refused("no_such_user", name)
		}
	}
	var failed error
	for _, name := range *body.Users {
		if err := q.h.o.Broker.DeleteUser(name); err != nil {
			failed = errors.Join(failed, declared(err))
		}
	}
	if failed != nil {
		return failed
	}
	return q.done()
}

func getUsers(q *request) error { return q.showUsers(q.h.o.Broker.Users()) }

func getUsersWithoutPermissions(q *request) error {
	permissions := q.h.o.Broker.Permissions()
	return q.showUsers(slices.DeleteFunc(q.h.o.Broker.Users(), func(u definition.User) bool {
		return slices.ContainsFunc(permissions, func(p definition.Permission) bool {
			return p.User == u.Name
		})
	}))
}

func (q *request) showUsers(list []definition.User) error {
	return show(q, &listing[definition.User]{
		items: list, paged: true,
		name:  func(u *definition.User) string { return u.Name },
		write: q.h.writeUser,
	})
}

func getUser(q *request) error {
	u, err := q.userOf()
	if err != nil {
		return err
	}
	return q.showOne(func(w *writer) { q.h.writeUser(w, &u) })
}

func (h *Handler) writeUser(w *writer, u *definition.User) {
	w.text("name", u.Name)
	w.text("password_hash", base64.StdEncoding.EncodeToString(u.PasswordHash))
	w.text("hashing_algorithm", auth.HashAlgorithm(u.Algorithm))
	w.texts("tags", u.Tags)
	writeLimits(w, "limits", h.o.Broker.UserLimits(u.Name))
}

func getWhoAmI(q *request) error {
	name, tags := q.user.name, q.user.tags
	if q.user.operator {
		tags = []string{tagAdministrator}
	}
	return q.showOne(func(w *writer) {
		w.text("name", name)
		w.texts("tags", tags)
	})
}

func getHash(q *request) error {
	hash, _, err := q.hash(q.param("password"), auth.HashSHA256)
	if err != nil {
		return err
	}
	return q.reply(map[string]string{"ok": base64.StdEncoding.EncodeToString(hash)})
}
