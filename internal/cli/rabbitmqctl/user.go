package rabbitmqctl

import (
	"bufio"
	"encoding/base64"
	"io"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/auth"
)

func userVerbs() []*verb {
	return []*verb{
		{name: "add_user", min: 1, max: 2, valid: userName, do: addUser,
			options: []option{flag("pre-hashed-password", "")},
			banner:  saying(`Adding user "%0" ...`)},
		{name: "authenticate_user", min: 1, max: 2, valid: userName, do: authenticate,
			banner: saying(`Authenticating user "%0" ...`)},
		{name: "change_password", min: 1, max: 2, valid: userName, do: changePassword,
			options: []option{flag("pre-hashed-password", "")},
			banner:  saying(`Changing password for user "%0" ...`)},
		{name: "clear_password", min: 1, max: 1, do: clearPassword,
			banner: saying(`Clearing password for user "%0" ...`)},
		{name: "delete_user", min: 1, max: 1, do: deleteUser,
			banner: saying(`Deleting user "%0" ...`)},
		{name: "set_user_tags", min: 1, max: -1, do: setUserTags, banner: func(t *task) string {
			return `Setting tags for user "` + t.args[0] + `" to [` +
				strings.Join(t.args[1:], ", ") + "] ..."
		}},
		{name: "hash_password", max: 1, needs: nothing, do: hashPassword},
		lister{
			name: "list_users", banner: "Listing users ...",
			path: func(*task) string { return "/users" },
			columns: []column{
				{name: "user", path: "name"}, {name: "tags", as: asWords},
			},
		}.verb(),
	}
}

func userName(t *task) error {
	if t.args[0] == "" {
		return badArgument("user cannot be an empty string")
	}
	return nil
}

// noUser is what most verbs say when there is no such user.
func noUser(name string) *failure {
	return fail(exitNoUser, `User "%s" does not exist`, name)
}

// noUserTerm is the same in the words of the others.
func noUserTerm(name string) *failure {
	return fail(exitUnavailable, `{:no_such_user, "%s"}`, name)
}

// isMissing reports whether what was asked for is not there.
func isMissing(err error) bool { return err != nil && apiclient.IsNotFound(err) }

// user asks for a user; missing is what it is if there is none.
func (t *task) user(name string, missing *failure) (object, error) {
	o, err := t.getObject(apiclient.Path("users", name))
	if isMissing(err) {
		return nil, missing
	}
	return o, err
}

// password is the last argument, or what stands on the standard input.
func (t *task) password() (string, error) {
	if len(t.args) > 1 {
		return t.args[1], nil
	}
	return t.readPassword()
}

func (t *task) readPassword() (string, error) {
	if !t.quiet() {
		if err := t.print("Password: "); err != nil {
			return "", err
		}
	}
	line, err := bufio.NewReader(io.LimitReader(t.Stdin, passwordMax)).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" && err != nil {
		return "", fail(exitData, "Password is not provided via argument or stdin")
	}
	return line, nil
}

// passwordMax bounds what is read of the standard input, in bytes.
const passwordMax = 64 << 10

// secret is the field of a user that a password goes into.
func (t *task) secret() (map[string]any, error) {
	password, err := t.password()
	if err != nil {
		return nil, err
	}
	if t.options.has("pre-hashed-password") {
		if _, err := base64.StdEncoding.DecodeString(password); err != nil {
			return nil, fail(exitData, "The hash is not in base64")
		}
		return map[string]any{"password_hash": password}, nil
	}
	return map[string]any{"password": password}, nil
}

func addUser(t *task) error {
	body, err := t.secret()
	if err != nil {
		return err
	}
	name := t.args[0]
	_, err = t.getObject(apiclient.Path("users", name))
	if err == nil {
		return &failure{
			code: exitSoftware, text: `User "` + name + `" already exists`,
			fields: map[string]any{
				"message": "User " + name + " already exists", "node": t.node.name,
				"result": "error",
			},
		}
	}
	if !isMissing(err) {
		return err
	}
	body["tags"] = []string{}
	if err := t.client.Put(t.ctx, apiclient.Path("users", name), body); err != nil {
		return err
	}
	const done = "Done. Don't forget to grant the user permissions to some virtual hosts! " +
		"See 'rabbitmqctl help set_permissions' to learn more."
	if t.quiet() {
		return nil
	}
	return t.result(done, object{
		{"message", done}, {"node", t.node.name}, {"status", "ok"},
	})
}

func authenticate(t *task) error {
	password, err := t.password()
	if err != nil {
		return err
	}
	err = t.client.Post(t.ctx, "/warren/authenticate",
		map[string]string{"username": t.args[0], "password": password}, nil)
	switch apiclient.Status(err) {
	case 0:
		if err != nil {
			return err
		}
		return t.message("Success")
	case 401, 403:
		return fail(exitData, "Error: failed to authenticate user \"%s\"\n"+
			"user '%s' - invalid credentials", t.args[0], t.args[0])
	}
	return err
}

func changePassword(t *task) error {
	body, err := t.secret()
	if err != nil {
		return err
	}
	o, err := t.user(t.args[0], noUser(t.args[0]))
	if err != nil {
		return err
	}
	body["tags"] = asWords(o.get("tags"))
	return t.client.Put(t.ctx, apiclient.Path("users", t.args[0]), body)
}

func clearPassword(t *task) error {
	o, err := t.user(t.args[0], noUserTerm(t.args[0]))
	if err != nil {
		return err
	}
	return t.client.Put(t.ctx, apiclient.Path("users", t.args[0]), map[string]any{
		"password_hash": "", "tags": asWords(o.get("tags")),
	})
}

func deleteUser(t *task) error {
	err := t.client.Delete(t.ctx, apiclient.Path("users", t.args[0]))
	if isMissing(err) {
		return noUser(t.args[0])
	}
	return err
}

// setUserTags keeps the password by its hash.
func setUserTags(t *task) error {
	o, err := t.user(t.args[0], noUser(t.args[0]))
	if err != nil {
		return err
	}
	return t.client.Put(t.ctx, apiclient.Path("users", t.args[0]), map[string]any{
		"password_hash":     o.text("password_hash"),
		"hashing_algorithm": o.text("hashing_algorithm"),
		"tags":              append([]string{}, t.args[1:]...),
	})
}

func hashPassword(t *task) error {
	password := ""
	if len(t.args) > 0 {
		password = t.args[0]
	} else {
		var err error
		if password, err = t.readPassword(); err != nil {
			return err
		}
	}
	if strings.TrimSpace(password) == "" {
		return badArgument("Password cannot be blank")
	}
	hash, err := auth.HashPassword(auth.HashSHA256, password)
	if err != nil {
		return err
	}
	return t.message("%s", base64.StdEncoding.EncodeToString(hash))
}
