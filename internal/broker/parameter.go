package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
)

// PutParameter makes a parameter, or replaces the one of that component and name, and returns when
// that is on stable storage. It refuses what is not JSON.
func (v *VHost) PutParameter(p definition.Parameter) (created bool, err *amqp.Error) {
	if err := definition.CheckParameter(p); err != nil {
		return false, err
	}
	err = v.change(func(log *journal) *amqp.Error {
		_, existed := v.definitions.Parameter(p.Component, p.Name)
		created = !existed
		v.definitions.PutParameter(p)
		log.add(definition.Command{
			Kind: definition.PutParameterKind, VHost: v.name, Parameter: p,
		})
		return nil
	})
	return created, err
}

// ClearParameter takes a parameter away; NOT_FOUND when there is none.
func (v *VHost) ClearParameter(component, name string) *amqp.Error {
	return v.change(func(log *journal) *amqp.Error {
		if !v.definitions.ClearParameter(component, name) {
			return amqp.NewError(amqp.NotFound, "no parameter '%s' of '%s' in vhost '%s'", name,
				component, v.name)
		}
		log.add(definition.Command{
			Kind: definition.ClearParameterKind, VHost: v.name,
			Parameter: definition.Parameter{Component: component, Name: name},
		})
		return nil
	})
}

// Parameter returns the parameter of that component and name.
func (v *VHost) Parameter(component, name string) (definition.Parameter, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.Parameter(component, name)
}

// Parameters returns all parameters of the vhost in the order of components and then names.
func (v *VHost) Parameters() []definition.Parameter {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.Parameters()
}
