package management

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

func vhostRoutes() []route {
	const path = "/api/vhosts/:vhost"
	return []route{
		{method: "GET", path: "/api/vhosts", needs: managers, do: getVHosts,
			text: "The virtual hosts that the user may see", query: pageQuery()},
		{method: "GET", path: path, needs: administrators, visible: true, do: getVHost,
			text: "A virtual host"},
		{method: "PUT", path: path, needs: administrators, visible: true, do: putVHost,
			text: "Makes a virtual host, or changes what is said of it", body: "vhost"},
		{method: "DELETE", path: path, needs: administrators, visible: true, do: deleteVHost,
			text: "Deletes a virtual host with everything in it"},
		{method: "POST", path: path + "/deletion/protection", needs: administrators,
			visible: true, do: protect(true), text: "Protects a virtual host from deletion"},
		{method: "DELETE", path: path + "/deletion/protection", needs: administrators,
			visible: true, do: protect(false), text: "Lets a virtual host be deleted again"},
		{method: "POST", path: path + "/start/:node", needs: administrators, visible: true,
			do: startVHost, text: "Starts a virtual host: it runs as long as the node does"},
	}
}

// texts is a list of texts that is sent as text with commas by old clients.
type texts []string

// UnmarshalJSON reads ["a", "b"] and "a, b".
func (t *texts) UnmarshalJSON(text []byte) error {
	var list []string
	var one string
	switch {
	case json.Unmarshal(text, &list) == nil:
	case json.Unmarshal(text, &one) == nil:
		list = strings.Split(one, ",")
	default:
		return badRequest("tags are a list of texts, or one text with commas")
	}
	*t = texts{}
	for _, tag := range list {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(*t, tag) {
			*t = append(*t, tag)
		}
	}
	return nil
}

// metadataBody is what clients say of a vhost.
type metadataBody struct {
	Description      *string `json:"description"`
	Tags             *texts  `json:"tags"`
	DefaultQueueType *string `json:"default_queue_type"`
	Protected        *flag   `json:"protected_from_deletion"`
}

// undefined is how RabbitMQ calls what is not set.
const undefined = "undefined"

// over returns metadata with what is said put over it.
func (b *metadataBody) over(m definition.Metadata) definition.Metadata {
	if b.Description != nil {
		m.Description = *b.Description
	}
	if b.Tags != nil {
		m.Tags = *b.Tags
	}
	if b.DefaultQueueType != nil {
		m.DefaultQueueType = *b.DefaultQueueType
		if m.DefaultQueueType == undefined {
			m.DefaultQueueType = ""
		}
	}
	if b.Protected != nil {
		m.Protected = bool(*b.Protected)
	}
	return m
}

// vhostBody is a vhost as clients send it.
type vhostBody struct {
	metadataBody
	Metadata metadataBody `json:"metadata"`
	Tracing  *flag        `json:"tracing"`
}

func putVHost(q *request) error {
	var body vhostBody
	if err := q.decode(&body); err != nil {
		return err
	}
	created, err := q.makeVHost(q.param("vhost"), &body)
	if err != nil {
		return err
	}
	return q.created(created)
}

// makeVHost makes a vhost, which the user may then use, or changes what is said of one.
func (q *request) makeVHost(name string, body *vhostBody) (created bool, _ error) {
	m := q.h.o.Broker
	checked := body.over(body.Metadata.over(definition.Metadata{}))
	if err := definition.CheckMetadata(checked); err != nil {
		return false, declared(err)
	}
	created, err := m.PutVHost(name)
	if err != nil {
		return false, declared(err)
	}
	v := m.VHost(name)
	if v == nil {
		return false, vhostNotFound() // deleted a moment ago
	}
	old := v.Metadata()
	if d := body.over(body.Metadata.over(old)); !d.Equal(old) {
		if err := v.PutMetadata(d); err != nil {
			return false, declared(err)
		}
	}
	if body.Tracing != nil {
		v.SetTracing(bool(*body.Tracing))
	}
	if created && !q.user.operator {
		err = m.PutPermission(definition.Permission{
			User: q.user.name, VHost: name, Configure: ".*", Write: ".*", Read: ".*",
		})
	}
	return created, declared(err)
}

func deleteVHost(q *request) error {
	if _, err := q.vhost(); err != nil {
		return err
	}
	if err := q.h.o.Broker.DeleteVHost(q.param("vhost")); err != nil {
		return declared(err)
	}
	return q.done()
}

func protect(on bool) func(q *request) error {
	return func(q *request) error {
		v, err := q.vhost()
		if err != nil {
			return err
		}
		d := v.Metadata()
		d.Protected = on
		if err := v.PutMetadata(d); err != nil {
			return declared(err)
		}
		return q.done()
	}
}

func startVHost(q *request) error {
	name, node := q.param("vhost"), q.param("node")
	switch {
	case node != q.h.o.Node().Name:
		return badRequest("Request to node %s failed with nodedown", node)
	case q.h.o.Broker.VHost(name) == nil:
		return badRequest(`Request to node %s failed with {no_such_vhost,<<"%s">>}`, node, name)
	}
	return q.done()
}

// visibleVHosts returns the vhosts that the user may see: all of them those who see everything, the
// others those in which they have a permission.
func (q *request) visibleVHosts() []*broker.VHost {
	list := q.h.o.Broker.VHosts()
	if q.user.is(monitors) {
		return list
	}
	return slices.DeleteFunc(list, func(v *broker.VHost) bool {
		return !q.h.mayOpen(&q.user, v.Name())
	})
}

func getVHosts(q *request) error {
	shown, err := q.view()
	if err != nil {
		return err
	}
	return show(q, &listing[*broker.VHost]{
		items: q.visibleVHosts(), paged: true,
		name:  func(v **broker.VHost) string { return (*v).Name() },
		write: func(w *writer, v **broker.VHost) { shown.vhost(w, *v) },
	})
}

func getVHost(q *request) error {
	v, err := q.vhost()
	if err != nil {
		return err
	}
	shown, err := q.view()
	if err != nil {
		return err
	}
	return q.showOne(func(w *writer) { shown.vhost(w, v) })
}

func (v *view) vhost(w *writer, vhost *broker.VHost) {
	d := vhost.Metadata()
	w.text("name", vhost.Name())
	w.text("description", d.Description)
	w.texts("tags", d.Tags)
	queueType := d.DefaultQueueType
	if queueType == "" {
		queueType = undefined
	}
	w.text("default_queue_type", queueType)
	w.flag("protected_from_deletion", d.Protected)
	if w.begin("metadata") {
		writeMetadata(w, &d)
		w.end()
	}
	w.flag("tracing", vhost.Tracing())
	if w.begin("cluster_state") {
		w.text(v.node, "running")
		w.end()
	}
	v.vhostStats(w, vhost)
}

func writeMetadata(w *writer, d *definition.Metadata) {
	w.text("description", d.Description)
	w.texts("tags", d.Tags)
	if d.DefaultQueueType != "" {
		w.text("default_queue_type", d.DefaultQueueType)
	}
}

// pageQuery are the parameters of lists that come in pages.
func pageQuery() []string { return append(listQuery(), "page", "page_size", "name", "use_regex") }

// listQuery are the parameters of all lists.
func listQuery() []string { return []string{"columns", "sort", "sort_reverse"} }
