package definition

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/warrenmq/warren/amqp"
)

// Parameter is something that a component of the node, or a client, keeps in the definitions. What
// it means is known there.
type Parameter struct {
	// Component is whose parameter it is. Global ones are nobody's.
	Component string
	Name      string
	// Value is JSON.
	Value string
}

// parameterID is what tells a parameter from others of its vhost.
type parameterID struct{ component, name string }

const (
	// parameterNameMax is the longest name of a parameter or component, in octets.
	parameterNameMax = 255
	// parameterValueMax is the longest value, in octets.
	parameterValueMax = 1 << 20
)

// CheckParameter says what is wrong with the form of a parameter.
func CheckParameter(p Parameter) *amqp.Error {
	switch {
	case p.Name == "" || len(p.Name) > parameterNameMax || len(p.Component) > parameterNameMax:
		return amqp.NewError(amqp.PreconditionFailed,
			"names of parameters and components have 1 to %d octets", parameterNameMax)
	case len(p.Value) > parameterValueMax:
		return amqp.NewError(amqp.PreconditionFailed,
			"a parameter has at most %d octets, not %d", parameterValueMax, len(p.Value))
	case !json.Valid([]byte(p.Value)):
		return amqp.NewError(amqp.PreconditionFailed, "parameter '%s' is not JSON", p.Name)
	}
	return nil
}

// PutParameter makes a parameter, or replaces the one of that component and name.
func (v *VHost) PutParameter(p Parameter) {
	if v.parameters == nil {
		v.parameters = make(map[parameterID]Parameter)
	}
	v.parameters[parameterID{p.Component, p.Name}] = p
}

// ClearParameter takes a parameter away, and reports whether it was there.
func (v *VHost) ClearParameter(component, name string) (existed bool) {
	id := parameterID{component, name}
	_, existed = v.parameters[id]
	delete(v.parameters, id)
	return existed
}

// Parameter returns the parameter of that component and name.
func (v *VHost) Parameter(component, name string) (Parameter, bool) {
	p, ok := v.parameters[parameterID{component, name}]
	return p, ok
}

// Parameters returns all parameters of the vhost in the order of components and then names.
func (v *VHost) Parameters() []Parameter {
	return slices.SortedFunc(maps.Values(v.parameters), func(a, b Parameter) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Name, b.Name))
	})
}

// PutGlobalParameter makes a parameter of the whole node, or replaces the one of that name.
func (s *State) PutGlobalParameter(p Parameter) { s.parameters[p.Name] = p }

// ClearGlobalParameter takes a parameter of the node away, and reports whether it was there.
func (s *State) ClearGlobalParameter(name string) (existed bool) {
	_, existed = s.parameters[name]
	delete(s.parameters, name)
	return existed
}

// GlobalParameter returns the parameter of the node of that name.
func (s *State) GlobalParameter(name string) (Parameter, bool) {
	p, ok := s.parameters[name]
	return p, ok
}

// GlobalParameters returns all parameters of the node in the order of their names.
func (s *State) GlobalParameters() []Parameter {
	return slices.SortedFunc(maps.Values(s.parameters), func(a, b Parameter) int {
		return cmp.Compare(a.Name, b.Name)
	})
}
