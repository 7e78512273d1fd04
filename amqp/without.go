package amqp

import "encoding/binary"

// AppendWithoutHeader appends p, which is valid, without the headers that have this key. Headers
// of which nothing is left stay, empty.
func (p RawProperties) AppendWithoutHeader(dst []byte, key string) []byte {
	headers, ok := p.find(flagHeaders)
	if !ok {
		return append(dst, p...)
	}
	before := 2
	for _, flag := range [...]uint16{flagContentType, flagContentEncoding} {
		b, _ := p.find(flag)
		before += len(b)
	}
	dst = append(dst, p[:before]...)
	size := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = Table(dst).AppendWithout(Table(headers[4:]), key)
	binary.BigEndian.PutUint32(dst[size:], uint32(len(dst)-size-4))
	return append(dst, p[before+len(headers):]...)
}
