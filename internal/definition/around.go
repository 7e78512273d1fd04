package definition

import (
	"encoding/binary"
	"maps"
	"slices"
)

// appendAround appends the fields of commands about what stands around exchanges and queues: who
// may do what, and how much. It reports false for others.
func (c *Command) appendAround(dst []byte) (fields []byte, ok bool) {
	switch c.Kind {
	case PutUserLimitsKind:
		return appendLimits(appendText(dst, c.User.Name), c.Limits), true
	case PutVHostLimitsKind:
		return appendLimits(appendText(dst, c.VHost), c.Limits), true
	case PutTopicPermissionKind:
		p := &c.Topic
		return appendText(dst, p.User, p.VHost, p.Exchange, p.Write, p.Read), true
	case ClearTopicPermissionKind:
		return appendText(dst, c.Topic.User, c.Topic.VHost, c.Topic.Exchange), true
	case PutMetadataKind:
		m := &c.Metadata
		dst = appendText(dst, c.VHost, m.Description, m.DefaultQueueType)
		return appendTexts(append(dst, flag(protectedFlag, m.Protected)), m.Tags), true
	case PutParameterKind:
		p := &c.Parameter
		return appendText(dst, c.VHost, p.Component, p.Name, p.Value), true
	case ClearParameterKind:
		return appendText(dst, c.VHost, c.Parameter.Component, c.Parameter.Name), true
	case PutGlobalParameterKind:
		return appendText(dst, c.Parameter.Name, c.Parameter.Value), true
	case ClearGlobalParameterKind:
		return appendText(dst, c.Parameter.Name), true
	}
	return dst, false
}

func appendLimits(dst []byte, limits Limits) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(limits)))
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		dst = binary.AppendVarint(appendText(dst, name), limits[name])
	}
	return dst
}

// decodeAround reads what appendAround wrote.
func (c *Command) decodeAround(r *reader) {
	switch c.Kind {
	case PutUserLimitsKind:
		c.User.Name, c.Limits = r.text(), r.limits()
	case PutVHostLimitsKind:
		c.VHost, c.Limits = r.text(), r.limits()
	case PutTopicPermissionKind:
		c.Topic = TopicPermission{r.text(), r.text(), r.text(), r.text(), r.text()}
	case ClearTopicPermissionKind:
		c.Topic.User, c.Topic.VHost, c.Topic.Exchange = r.text(), r.text(), r.text()
	case PutMetadataKind:
		m := &c.Metadata
		c.VHost, m.Description, m.DefaultQueueType = r.text(), r.text(), r.text()
		m.Protected = r.flags(protectedFlag) != 0
		m.Tags = r.texts()
	case PutParameterKind:
		p := &c.Parameter
		c.VHost, p.Component, p.Name, p.Value = r.text(), r.text(), r.text(), r.text()
	case ClearParameterKind:
		c.VHost, c.Parameter.Component, c.Parameter.Name = r.text(), r.text(), r.text()
	case PutGlobalParameterKind:
		c.Parameter.Name, c.Parameter.Value = r.text(), r.text()
	case ClearGlobalParameterKind:
		c.Parameter.Name = r.text()
	default:
		r.err = newer("a command of kind", byte(c.Kind))
	}
}

func (r *reader) limits() Limits {
	n := r.number()
	if n > uint64(len(r.b)) { // each takes a byte at least
		r.fail(errShort)
		return nil
	}
	limits := make(Limits, n)
	for range n {
		name := r.text()
		limits[name] = r.signed()
	}
	return limits
}
