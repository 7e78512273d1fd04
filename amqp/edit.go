package amqp

import "encoding/binary"

// Edit says in what a property list is to differ from another.
type Edit struct {
	// SetHeaders: Headers, which must be valid, take the place of the headers; none when empty.
	SetHeaders bool
	Headers    Table
	// DropHeader is the key of headers that the list does not have; "": none. Headers of which
	// nothing is left stay, empty. It is without effect with SetHeaders.
	DropHeader string
	// DropExpiration: the list has no expiration.
	DropExpiration bool
	// ReplyTo takes the place of reply-to when it is not nil. It is cut at ShortStrMax.
	ReplyTo []byte
}

// AppendEdited appends p, which is valid, as e wants it. What e does not name is copied as it is.
func (p RawProperties) AppendEdited(dst []byte, e *Edit) []byte {
	start := len(dst)
	dst = append(dst, 0, 0)
	if len(p) < 2 {
		p = noProperties
	}
	old, list := binary.BigEndian.Uint16(p), p[2:]
	var flags uint16
	for flag := uint16(flagContentType); flag >= flagClusterID; flag >>= 1 {
		var value []byte
		if old&flag != 0 {
			n := propertySize(flag, list)
			if n < 0 {
				break
			}
			value, list = list[:n], list[n:]
		}
		before := len(dst)
		dst = e.append(dst, flag, value)
		if len(dst) > before {
			flags |= flag
		}
	}
	binary.BigEndian.PutUint16(dst[start:], flags)
	return dst
}

// append appends what becomes of a property; value is empty when there is none.
func (e *Edit) append(dst []byte, flag uint16, value []byte) []byte {
	switch {
	case flag == flagHeaders && e.SetHeaders:
		if len(e.Headers) == 0 {
			return dst
		}
		return appendTable(dst, e.Headers)
	case flag == flagHeaders && e.DropHeader != "" && len(value) > 0:
		size := len(dst)
		dst = Table(append(dst, 0, 0, 0, 0)).AppendWithout(Table(value[4:]), e.DropHeader)
		binary.BigEndian.PutUint32(dst[size:], uint32(len(dst)-size-4))
		return dst
	case flag == flagExpiration && e.DropExpiration:
		return dst
	case flag == flagReplyTo && e.ReplyTo != nil:
		text := e.ReplyTo[:min(len(e.ReplyTo), ShortStrMax)]
		return append(append(dst, byte(len(text))), text...)
	}
	return append(dst, value...)
}

// AppendField appends a field to a table. What v aliases is copied. Keys above ShortStrMax are cut.
func (t Table) AppendField(key string, v Value) Table {
	return AppendElement(appendShortstr(t, key), v)
}

// AppendElement appends a value with its letter, as it stands in an array.
func AppendElement(dst []byte, v Value) []byte {
	dst = append(dst, v.Type)
	if valueSizes[v.Type] == prefixed {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.Data)))
	}
	return append(dst, v.Data...)
}

// AppendText appends a field of type S.
func (t Table) AppendText(key, text string) Table {
	t = append(appendShortstr(t, key), TypeText)
	return appendLongstr(t, text)
}

// AppendInt64 appends a field of type l.
func (t Table) AppendInt64(key string, n int64) Table {
	t = append(appendShortstr(t, key), TypeInt64)
	return binary.BigEndian.AppendUint64(t, uint64(n))
}

// AppendTimestamp appends a field of type T.
func (t Table) AppendTimestamp(key string, at Timestamp) Table {
	t = append(appendShortstr(t, key), TypeTimestamp)
	return binary.BigEndian.AppendUint64(t, uint64(at))
}

// AppendWithout appends the fields of o but for those with one of the keys.
func (t Table) AppendWithout(o Table, keys ...string) Table {
	for b := []byte(o); len(b) > 0; {
		key, _, rest, ok := nextField(b)
		if !ok {
			break
		}
		left := true
		for _, k := range keys {
			left = left && k != string(key)
		}
		if left {
			t = append(t, b[:len(b)-len(rest)]...)
		}
		b = rest
	}
	return t
}
