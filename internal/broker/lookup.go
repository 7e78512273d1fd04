package broker

import (
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
)

// Queue returns the queue of that name, or nil.
func (v *VHost) Queue(name string) *Queue {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.queues[name]
}

// Exchange returns the exchange of that name as declared, "" for the default one; nil: there is
// none. Nobody writes to it.
func (v *VHost) Exchange(name string) *definition.Exchange {
	v.mu.RLock()
	defer v.mu.RUnlock()
	x, _ := v.definitions.Exchange(name)
	return x
}

// Exchanges returns the exchanges of the vhost in the order of their names.
func (v *VHost) Exchanges() []*definition.Exchange {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.Exchanges()
}

// BindingsFrom returns the bindings whose source is the exchange of that name.
func (v *VHost) BindingsFrom(source string) []exchange.Binding {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.BindingsFrom(source)
}

// BindingsTo returns the bindings whose destination is the queue, or the exchange, of that name.
func (v *VHost) BindingsTo(name string, isExchange bool) []exchange.Binding {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.BindingsTo(name, isExchange)
}
