package rabbitmqctl

import "github.com/warrenmq/warren/internal/apiclient"

// damageVerbs are about queues whose messages on disk are damaged. RabbitMQ has none of them.
func damageVerbs() []*verb {
	return []*verb{
		lister{
			name: "list_quarantined", banner: "Listing quarantined queues ...", chooses: true,
			path:    func(*task) string { return "/warren/quarantine" },
			columns: []column{{name: "vhost"}, {name: "queue", path: "name"}, {name: "reason"}},
		}.verb(),
		{name: "accept_queue", min: 1, max: 1, format: "table",
			banner: saying("Accepting queue '%0' in vhost '%v' ..."),
			do: func(t *task) error {
				var answer struct {
					Lost int64 `json:"messages_given_up"`
				}
				err := t.client.Post(t.ctx, apiclient.Path("warren", "quarantine", t.vhost(),
					t.args[0], "accept"), nil, &answer)
				if isMissing(err) {
					return fail(exitUnavailable, "not_found")
				}
				if err != nil {
					return err
				}
				return t.rows([]string{"queue", "messages_given_up"},
					[][]any{{t.args[0], asNumber(answer.Lost)}})
			}},
	}
}
