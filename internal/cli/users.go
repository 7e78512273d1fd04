package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
)

func newUsersCommand() *cobra.Command {
	s := &session{}
	return s.noun("users", "Users: list, add, delete, tags, passwords, permissions",
		s.list("List users", listing{path: "/users", columns: []string{
			"name", "tags", "hashing_algorithm", "limits",
		}}),
		s.userAdd(), s.userDelete(), s.userTags(), s.userPassword(), s.userPermissions(),
	)
}

func (s *session) completeUsers() cobra.CompletionFunc {
	return s.completeNames("/users?columns=name")
}

func (s *session) userAdd() *cobra.Command {
	var tags []string
	var hash, algorithm string
	c := s.verb("add NAME", "Add a user; the password is asked for or read from the input",
		exactArgs(1), nil,
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			path := apiclient.Path("users", args[0])
			switch err := api.Get(ctx, path, nil); {
			case err == nil:
				return &exitError{exitData, errUserExists}
			case !apiclient.IsNotFound(err):
				return err
			}
			body := object{"tags": strings.Join(tags, ",")}
			if hash != "" {
				body["password_hash"] = hash
				if algorithm != "" {
					body["hashing_algorithm"] = algorithm
				}
			} else {
				password, err := readSecret(c, "Password of "+args[0])
				if err != nil {
					return err
				}
				body["password"] = password
			}
			if err := api.Put(ctx, path, body); err != nil {
				return err
			}
			s.say(c, "User %q is added. It has no access to a vhost yet: %s", args[0],
				"warren permissions set.")
			return nil
		})
	f := c.Flags()
	f.StringSliceVar(&tags, "tags", nil, "administrator, monitoring, policymaker, management, …")
	f.StringVar(&hash, "password-hash", "", "hash as RabbitMQ exports it, instead of a password")
	f.StringVar(&algorithm, "hashing-algorithm", "", "what made the hash, as RabbitMQ names it")
	return c
}

func (s *session) userDelete() *cobra.Command {
	return s.verb("delete NAME...", "Delete users and their permissions", minArgs(1),
		s.completeUsers(),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			return s.deleteEach(ctx, c, api, "User", args, func(name string) string {
				return apiclient.Path("users", name)
			})
		})
}

// deleteEach deletes objects one by one and says so.
func (s *session) deleteEach(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, noun string, names []string,
	path func(name string) string,
) error {
	for _, name := range names {
		if err := api.Delete(ctx, path(name)); err != nil {
			return about(strings.ToLower(noun), name, err)
		}
		s.say(c, "%s %q is deleted.", noun, name)
	}
	return nil
}

// storedUser gets what a change of a user must keep.
func storedUser(ctx context.Context, api *apiclient.Client, name string) (object, error) {
	var user object
	if err := api.Get(ctx, apiclient.Path("users", name), &user); err != nil {
		return nil, about("user", name, err)
	}
	kept := object{"tags": user["tags"]}
	if list, ok := user["tags"].([]any); ok {
		words := make([]string, len(list))
		for i, tag := range list {
			words[i], _ = tag.(string)
		}
		kept["tags"] = strings.Join(words, ",")
	}
	for _, field := range []string{"password_hash", "hashing_algorithm"} {
		if value, ok := user[field]; ok {
			kept[field] = value
		}
	}
	return kept, nil
}

func (s *session) userTags() *cobra.Command {
	return s.verb("set-tags NAME [TAG...]", "Give a user these tags and no others; none is allowed",
		minArgs(1), s.completeUsers(),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			user, err := storedUser(ctx, api, args[0])
			if err != nil {
				return err
			}
			user["tags"] = strings.Join(args[1:], ",")
			if err := api.Put(ctx, apiclient.Path("users", args[0]), user); err != nil {
				return err
			}
			s.say(c, "User %q has the tags: %s", args[0], strings.Join(args[1:], " "))
			return nil
		})
}

func (s *session) userPassword() *cobra.Command {
	return s.verb("change-password NAME",
		"Give a user another password, asked for or read from the input", exactArgs(1),
		s.completeUsers(),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			user, err := storedUser(ctx, api, args[0])
			if err != nil {
				return err
			}
			delete(user, "password_hash")
			delete(user, "hashing_algorithm")
			if user["password"], err = readSecret(c, "New password of "+args[0]); err != nil {
				return err
			}
			if err := api.Put(ctx, apiclient.Path("users", args[0]), user); err != nil {
				return err
			}
			s.say(c, "User %q has another password.", args[0])
			return nil
		})
}

func (s *session) userPermissions() *cobra.Command {
	l := listing{columns: permissionColumns()}
	var f listFlags
	c := s.verb("permissions NAME", "List what a user may, vhost by vhost", exactArgs(1),
		s.completeUsers(),
		func(ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string) error {
			l.path = apiclient.Path("users", args[0], "permissions")
			return s.printList(ctx, c, api, l, f)
		})
	f.add(c, l.columns)
	return c
}
