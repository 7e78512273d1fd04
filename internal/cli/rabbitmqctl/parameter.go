package rabbitmqctl

import "github.com/warrenmq/warren/internal/apiclient"

func parameterVerbs() []*verb {
	return []*verb{
		{name: "set_parameter", min: 3, max: 3, do: setParameter, banner: saying(
			`Setting runtime parameter "%1" for component "%0" to "%2" in vhost "%v" ...`)},
		{name: "clear_parameter", min: 2, max: 2, banner: saying(
			`Clearing runtime parameter "%1" for component "%0" on vhost "%v" ...`),
			do: func(t *task) error {
				return noParameter(t.client.Delete(t.ctx,
					apiclient.Path("parameters", t.args[0], t.vhost(), t.args[1])))
			}},
		parameterList(),
		{name: "set_global_parameter", min: 2, max: 2, do: setGlobalParameter,
			banner: saying(`Setting global runtime parameter "%0" to "%1" ...`)},
		{name: "clear_global_parameter", min: 1, max: 1,
			banner: saying(`Clearing global runtime parameter "%0" ...`),
			do: func(t *task) error {
				return noParameter(t.client.Delete(t.ctx,
					apiclient.Path("global-parameters", t.args[0])))
			}},
		lister{
			name: "list_global_parameters", banner: "Listing global runtime parameters ...",
			path:    func(*task) string { return "/global-parameters" },
			columns: []column{{name: "name"}, {name: "value", as: asText}},
		}.verb(),
	}
}

func setParameter(t *task) error {
	value, err := document(t.args[2])
	if err != nil {
		return err
	}
	path := apiclient.Path("parameters", t.args[0], t.vhost(), t.args[1])
	return t.refusedInVHost(t.client.Put(t.ctx, path, map[string]any{
		"component": t.args[0], "vhost": t.vhost(), "name": t.args[1], "value": value,
	}))
}

func setGlobalParameter(t *task) error {
	value, err := document(t.args[1])
	if err != nil {
		return err
	}
	return t.client.Put(t.ctx, apiclient.Path("global-parameters", t.args[0]), map[string]any{
		"name": t.args[0], "value": value,
	})
}

// parameterList asks for all parameters: the API has none for all components of a vhost.
func parameterList() *verb {
	columns := []column{{name: "component"}, {name: "name"}, {name: "value", as: asText}}
	return &verb{
		name: "list_parameters", format: "table",
		banner: saying(`Listing runtime parameters for vhost "%v" ...`),
		do: func(t *task) error {
			if _, err := t.getObject(apiclient.Path("vhosts", t.vhost())); err != nil {
				return missingVHost(t.vhost(), err)
			}
			all, err := t.getList("/parameters")
			if err != nil {
				return err
			}
			var list []object
			for _, o := range all {
				if o.text("vhost") == t.vhost() {
					list = append(list, o)
				}
			}
			return t.list(list, columns)
		},
	}
}
