package management

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
)

func documentRoutes() []route {
	return []route{
		{method: "GET", path: "/", needs: anybody, do: getFront,
			text: "A page for browsers that says what is here"},
		{method: "GET", path: "/api/openapi.json", needs: anybody, do: getOpenAPI,
			text: "This API as an OpenAPI document"},
		{method: "GET", path: "/api", needs: anybody, do: getIndex,
			text: "The paths of this API, for readers"},
		{method: "GET", path: "/api/index.html", needs: anybody, do: getIndex,
			text: "The paths of this API, for readers"},
	}
}

// front is what a browser sees that somebody opens here: there is no user interface. Its links are
// relative, for there may be a prefix before the path; it tells nothing of this node.
const front = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>warren</title></head>
<body><h1>warren</h1>
<p>This is a message broker, warren, which takes the place of RabbitMQ. Its HTTP API is served here;
there is no user interface for browsers yet. Meanwhile <code>warren top</code> shows a node in a
terminal, and RabbitMQ's dashboards for Grafana show its metrics.</p>
<ul>
<li><a href="api/index.html">api/</a>: the paths of the HTTP API</li>
<li><a href="api/openapi.json">api/openapi.json</a>: the same as OpenAPI</li>
<li><a href="api/overview">api/overview</a>: what the node is and does, for those who log in</li>
<li>/metrics, on a port of its own, 15692 if nobody chose another: for Prometheus</li>
</ul></body></html>
`

func getFront(q *request) error {
	q.replyBytes(http.StatusOK, "text/html; charset=utf-8", []byte(front))
	return nil
}

// getIndex lists the paths. What is in it is ours: names of users and queues are not.
func getIndex(q *request) error {
	var page strings.Builder
	page.WriteString("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">" +
		"<title>HTTP API</title></head><body><h1>HTTP API</h1>" +
		"<p>As <a href=\"/api/openapi.json\">OpenAPI</a>.</p><table>")
	for _, r := range q.h.routes {
		fmt.Fprintf(&page, "<tr><td>%s</td><td><code>%s</code></td><td>%s</td><td>%s</td></tr>\n",
			r.method, html.EscapeString(r.path), html.EscapeString(r.text),
			html.EscapeString(r.needs.title()))
	}
	page.WriteString("</table></body></html>\n")
	q.replyBytes(http.StatusOK, "text/html; charset=utf-8", []byte(page.String()))
	return nil
}

// title says who may call a path, for documents.
func (s scope) title() string {
	switch s {
	case anybody:
		return "everybody"
	case managers:
		return "management"
	case monitors:
		return "monitoring"
	case policymakers:
		return "policymaker"
	}
	return "administrator"
}

func getOpenAPI(q *request) error {
	return q.reply(openAPI(q.h.routes, q.h.o.Version))
}

// object is an object of JSON.
type object = map[string]any

// openAPIVersion is the version of the specification that the document follows.
const openAPIVersion = "3.1.0"

// openAPI describes the routes.
func openAPI(routes []route, version string) object {
	paths := object{}
	for i := range routes {
		r := &routes[i]
		path := openAPIPath(r.path)
		item, ok := paths[path].(object)
		if !ok {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.method)] = r.operation()
	}
	schemas := object{"error": schemaOf("error", "text", "reason", "any")}
	for name, schema := range bodies() {
		schemas[name] = schema
	}
	if version == "" {
		version = "0"
	}
	return object{
		"openapi": openAPIVersion,
		"info": object{
			"title":   "warren: RabbitMQ's HTTP API",
			"version": version,
		},
		"servers": []any{object{"url": "/"}},
		"paths":   paths,
		"components": object{
			"schemas": schemas,
			"securitySchemes": object{
				"basic": object{"type": "http", "scheme": "basic"},
			},
		},
		"security": []any{object{"basic": []any{}}},
	}
}

// openAPIPath writes a path with its parameters as OpenAPI does.
func openAPIPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// operation describes one route.
func (r *route) operation() object {
	operation := object{
		"operationId": r.id(), "summary": r.text, "tags": []any{r.tag()},
		"description": "Needs the tag: " + r.needs.title() + ".",
		"responses":   r.responses(),
	}
	if r.needs == anybody {
		operation["security"] = []any{object{}}
		operation["description"] = "Needs no login."
	}
	if parameters := r.parameters(); parameters != nil {
		operation["parameters"] = parameters
	}
	if r.body != "" {
		operation["requestBody"] = object{"content": object{"application/json": object{
			"schema": object{"$ref": "#/components/schemas/" + r.body},
		}}}
	}
	return operation
}

// id is the name of the operation, unique among all.
func (r *route) id() string {
	id := strings.ToLower(r.method)
	if r.path == "/" {
		return id + "_root"
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(r.path, "/api"), "/") {
		if segment != "" {
			id += "_" + strings.NewReplacer(":", "by_", "-", "_", ".", "_").Replace(segment)
		}
	}
	return id
}

// tag groups paths by what they are about.
func (r *route) tag() string {
	if r.path == "/" {
		return "api"
	}
	segments := strings.Split(strings.TrimPrefix(r.path, "/api/"), "/")
	return strings.TrimPrefix(segments[0], "/")
}

func (r *route) parameters() []any {
	var list []any
	for segment := range strings.SplitSeq(r.path, "/") {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			list = append(list, object{
				"name": name, "in": "path", "required": true, "schema": object{"type": "string"},
			})
		}
	}
	for _, name := range r.query {
		list = append(list, object{
			"name": name, "in": "query", "schema": object{"type": "string"},
		})
	}
	return list
}

// responses are those that the path answers with, and those of every path.
func (r *route) responses() object {
	failed := func(text string) object {
		return object{"description": text, "content": object{"application/json": object{
			"schema": object{"$ref": "#/components/schemas/error"},
		}}}
	}
	list := object{
		"400": failed("It cannot be done; the reason says why"),
		"404": failed("It is not there"),
	}
	if r.needs != anybody {
		list["401"] = failed("The login failed, or the user may not do that")
	}
	switch {
	case r.method == http.MethodGet:
		list["200"] = object{"description": r.text, "content": object{"application/json": object{}}}
	case r.method == http.MethodPut:
		list["201"] = object{"description": "It was made"}
		list["204"] = object{"description": "It was there, and is as it should be"}
	case r.method == http.MethodPost && slices.Contains(answeringBodies(), r.body):
		list["200"] = object{
			"description": "It is done", "content": object{"application/json": object{}},
		}
	case r.method == http.MethodPost && r.body == "binding":
		list["201"] = object{"description": "It was made; Location says where it is"}
	default:
		list["204"] = object{"description": "It is done"}
	}
	if strings.HasPrefix(r.path, "/api/health") || strings.HasPrefix(r.path, "/api/aliveness") {
		list["503"] = object{"description": "The check has failed; the reason says why"}
	}
	return list
}
