package management

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/warrenmq/warren/internal/definition"
)

func nodeRoutes() []route {
	return []route{
		{method: "GET", path: "/api/cluster-name", needs: managers, do: getClusterName,
			text: "The name of the cluster"},
		{method: "PUT", path: "/api/cluster-name", needs: administrators, do: putClusterName,
			text: "Changes the name of the cluster", body: "name"},
		{method: "POST", path: "/api/login", needs: anybody, do: postLogin,
			text: "Checks the name and the password of a form"},
		{method: "GET", path: "/api/auth", needs: anybody, do: getAuth,
			text: "How users log in, besides name and password"},
		{method: "GET", path: "/api/version", needs: managers, do: getVersion,
			text: "The version of RabbitMQ that clients may expect"},
		{method: "GET", path: "/api/extensions", needs: managers, do: getNothing,
			text: "Extensions of the web pages: none"},
		{method: "GET", path: "/api/feature-flags", needs: administrators,
			do: getFeatureFlags, text: "Feature flags of RabbitMQ, all of them enabled"},
		{method: "PUT", path: "/api/feature-flags/:name/enable", needs: administrators,
			do: enableFeatureFlag, text: "Enables a feature flag: it is enabled"},
		{method: "GET", path: "/api/deprecated-features", needs: administrators,
			do: getNothing, text: "Features that will go: none"},
		{method: "GET", path: "/api/deprecated-features/used", needs: administrators,
			do: getNothing, text: "Features in use that will go: none"},
		{method: "DELETE", path: "/api/reset", needs: administrators, do: resetNothing,
			text: "Would forget statistics: they only look back for some time"},
		{method: "DELETE", path: "/api/reset/:node", needs: administrators, do: resetNothing,
			text: "Would forget statistics of a node"},
	}
}

// clusterNameParameter is the global parameter in which the name of the cluster is.
const clusterNameParameter = "cluster_name"

// clusterName returns what the cluster is called: as somebody said, or as the node is.
func (h *Handler) clusterName() string {
	var name string
	p, ok := h.o.Broker.GlobalParameter(clusterNameParameter)
	if ok && json.Unmarshal([]byte(p.Value), &name) == nil {
		return name
	}
	return h.o.Node().ClusterName
}

func getClusterName(q *request) error {
	return q.reply(map[string]string{"name": q.h.clusterName()})
}

func putClusterName(q *request) error {
	var body struct {
		Name *string `json:"name"`
	}
	if err := q.decode(&body); err != nil {
		return err
	}
	if body.Name == nil {
		return missing("name")
	}
	value, err := json.Marshal(*body.Name)
	if err != nil {
		return err
	}
	_, refusal := q.h.o.Broker.PutGlobalParameter(definition.Parameter{
		Name: clusterNameParameter, Value: string(value),
	})
	if refusal != nil {
		return declared(refusal)
	}
	return q.done()
}

// postLogin checks credentials. RabbitMQ answers with a cookie that has the password in it; there
// is none here.
func postLogin(q *request) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(bytes.TrimSpace(body)))
	if err != nil {
		return badRequest("the form cannot be read")
	}
	r := q.Clone(q.Context())
	r.SetBasicAuth(form.Get("username"), form.Get("password"))
	u, err := q.h.login(r)
	if err != nil {
		return err
	}
	if !u.is(managers) {
		return notAuthorized(managers.refusal())
	}
	return q.reply("ok")
}

func getAuth(q *request) error {
	return q.reply(map[string]any{
		"oauth_enabled": false, "enable_uaa": false, "uaa_client_id": "", "uaa_location": "",
	})
}

func getVersion(q *request) error {
	q.replyBytes(http.StatusOK, "text/plain; charset=utf-8", []byte(q.h.o.CompatibleVersion))
	return nil
}

// getNothing answers with an empty list.
func getNothing(q *request) error {
	q.replyBytes(http.StatusOK, "application/json", []byte("[]"))
	return nil
}

func resetNothing(q *request) error {
	if node, ok := q.lookup("node"); ok && node != q.h.o.Node().Name {
		return notFound()
	}
	return q.done()
}

// featureFlags are those of RabbitMQ that clients look for: what they stand for is there.
func featureFlags() []string {
	return []string{
		"classic_mirrored_queue_version", "classic_queue_type_delivery_support",
		"direct_exchange_routing_v2", "drop_unroutable_metric", "empty_basic_get_metric",
		"feature_flags_v2", "implicit_default_bindings", "listener_records_in_ets",
		"maintenance_mode_status", "message_containers", "quorum_queue",
		"quorum_queue_non_voters", "restart_streams", "stream_filtering", "stream_queue",
		"stream_sac_coordinator_unblock_group", "stream_single_active_consumer",
		"stream_update_config_command", "tracking_records_in_ets", "user_limits",
		"virtual_host_metadata",
	}
}

func getFeatureFlags(q *request) error {
	return show(q, &listing[string]{
		items: featureFlags(), name: func(name *string) string { return *name },
		write: func(w *writer, name *string) {
			w.text("name", *name)
			w.text("desc", "")
			w.text("doc_url", "")
			w.text("state", "enabled")
			w.text("stability", "stable")
			w.text("provided_by", "rabbit")
		},
	})
}

func enableFeatureFlag(q *request) error {
	for _, name := range featureFlags() {
		if name == q.param("name") {
			return q.done()
		}
	}
	return badRequest("unsupported")
}
