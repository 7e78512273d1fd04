package management

import (
	"slices"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
)

func permissionRoutes() []route {
	const one, topic = "/api/permissions/:vhost/:user", "/api/topic-permissions/:vhost/:user"
	return []route{
		{method: "GET", path: "/api/permissions", needs: administrators, do: getPermissions,
			text: "All permissions", query: listQuery()},
		{method: "GET", path: "/api/vhosts/:vhost/permissions", needs: administrators,
			visible: true, do: getPermissions, text: "The permissions in a virtual host",
			query: listQuery()},
		{method: "GET", path: "/api/users/:user/permissions", needs: administrators,
			do: getPermissions, text: "The permissions of a user", query: listQuery()},
		{method: "GET", path: one, needs: administrators, visible: true, do: getPermission,
			text: "What a user may do in a virtual host"},
		{method: "PUT", path: one, needs: administrators, visible: true, do: putPermission,
			text: "Lets a user use a virtual host", body: "permission"},
		{method: "DELETE", path: one, needs: administrators, visible: true,
			do: deletePermission, text: "Takes a user's permission away"},

		{method: "GET", path: "/api/topic-permissions", needs: administrators,
			do: getTopicPermissions, text: "All topic permissions", query: listQuery()},
		{method: "GET", path: "/api/vhosts/:vhost/topic-permissions", needs: administrators,
			visible: true, do: getTopicPermissions,
			text: "The topic permissions in a virtual host", query: listQuery()},
		{method: "GET", path: "/api/users/:user/topic-permissions", needs: administrators,
			do: getTopicPermissions, text: "The topic permissions of a user", query: listQuery()},
		{method: "GET", path: topic, needs: administrators, visible: true,
			do: getUserTopicPermissions, text: "The topic permissions of a user",
			query: listQuery()},
		{method: "PUT", path: topic, needs: administrators, visible: true,
			do: putTopicPermission, body: "topic_permission",
			text: "Narrows what a user may publish to a topic exchange and bind"},
		{method: "DELETE", path: topic, needs: administrators, visible: true,
			do: deleteTopicPermissions, text: "Takes a user's topic permissions away"},
		{method: "GET", path: topic + "/:exchange", needs: administrators, visible: true,
			do: getUserTopicPermissions, text: "The topic permission for an exchange"},
		{method: "DELETE", path: topic + "/:exchange", needs: administrators, visible: true,
			do: deleteTopicPermissions, text: "Takes the topic permission for an exchange away"},
	}
}

// permissionBody is a permission as clients and definitions have it.
type permissionBody struct {
	User      string  `json:"user"`
	VHost     string  `json:"vhost"`
	Exchange  *string `json:"exchange"` // of topic permissions
	Configure *string `json:"configure"`
	Write     *string `json:"write"`
	Read      *string `json:"read"`
}

// pattern is a regular expression by its key.
type pattern struct {
	key  string
	text *string
}

// checkPatterns refuses those that are missing or no regular expressions.
func checkPatterns(patterns ...pattern) error {
	var absent []string
	for _, p := range patterns {
		if p.text == nil {
			absent = append(absent, p.key)
		}
	}
	if absent != nil {
		return missing(absent...)
	}
	for _, p := range patterns {
		if p.key == "exchange" {
			continue
		}
		if err := auth.CheckPattern(*p.text); err != nil {
			return refused("invalid_regexp", *p.text, err.Error())
		}
	}
	return nil
}

func putPermission(q *request) error {
	var body permissionBody
	if err := q.decode(&body); err != nil {
		return err
	}
	body.User, body.VHost = q.param("user"), q.param("vhost")
	_, existed := q.h.o.Broker.Permission(body.User, body.VHost)
	if !q.knows(body.User, body.VHost) {
		return badRequest("vhost_or_user_not_found")
	}
	if err := q.makePermission(&body); err != nil {
		return err
	}
	return q.created(!existed)
}

// knows reports whether there are such a user and vhost.
func (q *request) knows(user, vhost string) bool {
	_, ok := q.h.o.Broker.User(user)
	return ok && q.h.o.Broker.VHost(vhost) != nil
}

func (q *request) makePermission(body *permissionBody) error {
	err := checkPatterns(pattern{"configure", body.Configure}, pattern{"write", body.Write},
		pattern{"read", body.Read})
	if err != nil {
		return err
	}
	return declared(q.h.o.Broker.PutPermission(definition.Permission{
		User: body.User, VHost: body.VHost,
		Configure: *body.Configure, Write: *body.Write, Read: *body.Read,
	}))
}

func deletePermission(q *request) error {
	user, vhost := q.param("user"), q.param("vhost")
	if _, ok := q.h.o.Broker.Permission(user, vhost); !ok {
		return notFound()
	}
	if err := q.h.o.Broker.ClearPermission(user, vhost); err != nil {
		return declared(err)
	}
	return q.done()
}

// about returns the user and vhost of the path, "" for all, and whether they are there.
func (q *request) about() (user, vhost string, err error) {
	if name, ok := q.lookup("user"); ok {
		if _, err := q.userOf(); err != nil {
			return "", "", err
		}
		user = name
	}
	if name, ok := q.lookup("vhost"); ok {
		if _, err := q.vhost(); err != nil {
			return "", "", err
		}
		vhost = name
	}
	return user, vhost, nil
}

func getPermissions(q *request) error {
	user, vhost, err := q.about()
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(q.h.o.Broker.Permissions(), func(p definition.Permission) bool {
		return user != "" && p.User != user || vhost != "" && p.VHost != vhost
	})
	return show(q, &listing[definition.Permission]{
		items: list, name: func(p *definition.Permission) string { return p.User },
		write: writePermission,
	})
}

func getPermission(q *request) error {
	p, ok := q.h.o.Broker.Permission(q.param("user"), q.param("vhost"))
	if !ok {
		return notFound()
	}
	return q.showOne(func(w *writer) { writePermission(w, &p) })
}

func writePermission(w *writer, p *definition.Permission) {
	w.text("user", p.User)
	w.text("vhost", p.VHost)
	w.text("configure", p.Configure)
	w.text("write", p.Write)
	w.text("read", p.Read)
}

func putTopicPermission(q *request) error {
	var body permissionBody
	if err := q.decode(&body); err != nil {
		return err
	}
	body.User, body.VHost = q.param("user"), q.param("vhost")
	if !q.knows(body.User, body.VHost) {
		return badRequest("vhost_or_user_not_found")
	}
	had := slices.ContainsFunc(q.topicPermissions(body.User, body.VHost, nil),
		func(definition.TopicPermission) bool { return true })
	if err := q.makeTopicPermission(&body); err != nil {
		return err
	}
	return q.created(!had)
}

func (q *request) makeTopicPermission(body *permissionBody) error {
	err := checkPatterns(pattern{"exchange", body.Exchange}, pattern{"write", body.Write},
		pattern{"read", body.Read})
	if err != nil {
		return err
	}
	return declared(q.h.o.Broker.PutTopicPermission(definition.TopicPermission{
		User: body.User, VHost: body.VHost, Exchange: *body.Exchange,
		Write: *body.Write, Read: *body.Read,
	}))
}

// topicPermissions returns those of a user, vhost and exchange; "" and nil stand for all.
func (q *request) topicPermissions(
	user, vhost string, exchange *string,
) []definition.TopicPermission {
	return slices.DeleteFunc(q.h.o.Broker.TopicPermissions(),
		func(p definition.TopicPermission) bool {
			return user != "" && p.User != user || vhost != "" && p.VHost != vhost ||
				exchange != nil && p.Exchange != *exchange
		})
}

// userTopicPermissions returns those of the path, or the error when there are none.
func (q *request) userTopicPermissions() ([]definition.TopicPermission, error) {
	var exchange *string
	if name, ok := q.lookup("exchange"); ok {
		exchange = &name
	}
	list := q.topicPermissions(q.param("user"), q.param("vhost"), exchange)
	if len(list) == 0 {
		return nil, notFound()
	}
	return list, nil
}

func deleteTopicPermissions(q *request) error {
	list, err := q.userTopicPermissions()
	if err != nil {
		return err
	}
	for _, p := range list {
		err := q.h.o.Broker.ClearTopicPermission(p.User, p.VHost, p.Exchange)
		if err != nil {
			return declared(err)
		}
	}
	return q.done()
}

func getTopicPermissions(q *request) error {
	user, vhost, err := q.about()
	if err != nil {
		return err
	}
	return q.showTopicPermissions(q.topicPermissions(user, vhost, nil))
}

func getUserTopicPermissions(q *request) error {
	list, err := q.userTopicPermissions()
	if err != nil {
		return err
	}
	return q.showTopicPermissions(list)
}

func (q *request) showTopicPermissions(list []definition.TopicPermission) error {
	return show(q, &listing[definition.TopicPermission]{
		items: list, name: func(p *definition.TopicPermission) string { return p.User },
		write: writeTopicPermission,
	})
}

func writeTopicPermission(w *writer, p *definition.TopicPermission) {
	w.text("user", p.User)
	w.text("vhost", p.VHost)
	w.text("exchange", p.Exchange)
	w.text("write", p.Write)
	w.text("read", p.Read)
}
