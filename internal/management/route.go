package management

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// scope says who may call a path, as RabbitMQ has it.
type scope uint8

const (
	// anybody needs no login.
	anybody scope = iota
	// managers have any of the tags management, policymaker, monitoring and administrator.
	managers
	// monitors have the tag monitoring or administrator.
	monitors
	// policymakers have the tag policymaker or administrator.
	policymakers
	// administrators have that tag.
	administrators
)

// route is one method of one path of the API.
type route struct {
	method string // GET answers HEAD as well
	// path is in RabbitMQ's form: "/api/queues/:vhost/:queue".
	path string
	// needs says who may call it. Unless they are administrators, they also need a permission in
	// the vhost that is a parameter of the path, if it is there.
	needs scope
	// quiet: it changes nothing that an operator wants to read of.
	quiet bool
	// visible: monitors may call it for each vhost, without a permission.
	visible bool
	text    string // what it does, for the documentation
	// body names the form of what is sent (see bodies), and query the parameters that only this
	// path takes, for the documentation.
	body  string
	query []string
	do    func(q *request) error
}

// table is all there is.
func table() []route {
	return slices.Concat(
		readRoutes(),
		changeRoutes(),
		controlRoutes(),
	)
}

// router finds the route of a request. A tree of path segments: each is unescaped for itself, so
// that names may have any octet, "/" and "." among them, which the mux of net/http would clean.
type router struct{ root node }

type node struct {
	children map[string]*node
	any      *node // for a segment that is a parameter
	methods  map[string]*route
}

func (t *router) add(r *route) {
	n := &t.root
	for _, segment := range strings.Split(strings.TrimSuffix(r.path, "/"), "/")[1:] {
		next := &n.any
		if !strings.HasPrefix(segment, ":") {
			if n.children == nil {
				n.children = make(map[string]*node)
			}
			child := n.children[segment]
			next = &child
			if child == nil {
				child = new(node)
				n.children[segment] = child
			}
		}
		if *next == nil {
			*next = new(node)
		}
		n = *next
	}
	if n.methods == nil {
		n.methods = make(map[string]*route)
	}
	if n.methods[r.method] != nil {
		panic("management: " + r.method + " " + r.path + " twice")
	}
	n.methods[r.method] = r
}

// find returns the routes of a path by method, and its segments unescaped; nil if there are none.
// One that is spelled out goes before a parameter.
func (t *router) find(escapedPath string) (map[string]*route, []string) {
	path, _ := strings.CutSuffix(escapedPath, "/")
	segments := strings.Split(path, "/")[1:]
	for i, s := range segments {
		text, err := url.PathUnescape(s)
		if err != nil {
			return nil, nil
		}
		segments[i] = text
	}
	if n := t.root.walk(segments); n != nil {
		return n.methods, segments
	}
	return nil, nil
}

func (n *node) walk(segments []string) *node {
	if len(segments) == 0 {
		if n.methods == nil {
			return nil
		}
		return n
	}
	if child := n.children[segments[0]]; child != nil {
		if found := child.walk(segments[1:]); found != nil {
			return found
		}
	}
	if n.any != nil {
		return n.any.walk(segments[1:])
	}
	return nil
}

// allow is what a client is told that a path takes, in RabbitMQ's order.
func allow(methods map[string]*route) string {
	var list []string
	for _, m := range []string{
		http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete,
	} {
		if methods[m] == nil {
			continue
		}
		if m == http.MethodGet {
			list = append(list, http.MethodHead)
		}
		list = append(list, m)
	}
	return strings.Join(append(list, http.MethodOptions), ", ")
}
