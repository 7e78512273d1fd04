package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The record is the unit of every file of the store. Integers are little endian, "uvarint" and
// "varint" (zigzag) are those of encoding/binary. These values and shapes never change; what
// changes gets a new kind, or a new format version in the file header.
//
//	 0       4       8      9
//	┌───────┬───────┬──────┬─────────┐
//	│ len   │ crc   │ kind │ content │   len u32 = bytes of kind and content
//	└───────┴───────┴──────┴─────────┘   crc u32 = see checksum
//
// Its position (LSN) is not written: it follows from the place in the file, and the checksum
// covers it. A record found in another place or in another directory's file is therefore invalid.
//
//	kind           content
//	1 group        mark [8]byte: a write began here; everything before it was synced first
//	2 publish      queues, message: its LSN is the identity of the message
//	3 copy         id uvarint, queues, message: written again so that an old file can go; queues
//	               are those in which it was unsettled at this position
//	4 settle       queue uvarint, count uvarint (≥ 1), id uvarint, (count-1) × varint difference
//	5 delete       queue uvarint
//	6 definition   record of the definitions file, opaque
//
//	queues         count uvarint (≥ 1), count × queue uvarint
//	message        the rest of the record
const (
	recordHeadBytes = 8
	groupBytes      = recordHeadBytes + 1 + len(groupMark)
	groupMark       = "\xF0GROUP\r\n"
)

type kind uint8

const (
	kindGroup kind = 1 + iota
	kindPublish
	kindCopy
	kindSettle
	kindDelete
	kindDefinition
)

const (
	// MessageBytesMax is the largest message Publish takes.
	MessageBytesMax = 512 << 20
	// FanOutMax is the largest number of queues of one Publish.
	FanOutMax = 1 << 20
	// DefinitionBytesMax is the largest record Define takes.
	DefinitionBytesMax = 16 << 20

	// settleIDsMax keeps one settle record small; Settle writes several when it has to.
	settleIDsMax = 1 << 16
	// recordBytesMax bounds what the length of a record may claim. The largest record written is
	// MessageBytesMax and FanOutMax queues of 10 bytes.
	recordBytesMax = 1 << 30
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	// errContent means a record whose checksum is right has content that makes no sense.
	errContent = errors.New("content of record is invalid")
)

// checksum of a record's kind and content. The start value binds it to the directory (seed, made
// of its random id, so that a message cannot be composed to look like a record) and to the
// position.
func checksum(seed uint32, lsn LSN, body []byte) uint32 {
	return crc32.Update(seed^uint32(lsn)^uint32(lsn>>32), castagnoli, body)
}

func beginRecord(b []byte, k kind) []byte {
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(k))
}

// endRecord sets the length of the record that starts at start. The checksum is left to seal.
func endRecord(b []byte, start int) []byte {
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-recordHeadBytes))
	return b
}

// seal sets the checksums of the records in b, of which the first has position lsn.
func seal(b []byte, lsn LSN, seed uint32) {
	for len(b) > 0 {
		n := recordHeadBytes + int(binary.LittleEndian.Uint32(b))
		binary.LittleEndian.PutUint32(b[4:], checksum(seed, lsn, b[recordHeadBytes:n]))
		b, lsn = b[n:], lsn+LSN(n)
	}
}

func appendGroup(b []byte) []byte {
	start := len(b)
	return endRecord(append(beginRecord(b, kindGroup), groupMark...), start)
}

func appendQueues(b []byte, queues []QueueID) []byte {
	b = binary.AppendUvarint(b, uint64(len(queues)))
	for _, q := range queues {
		b = binary.AppendUvarint(b, uint64(q))
	}
	return b
}

func appendPublish(b []byte, queues []QueueID, message [][]byte) []byte {
	start := len(b)
	b = appendQueues(beginRecord(b, kindPublish), queues)
	for _, piece := range message {
		b = append(b, piece...)
	}
	return endRecord(b, start)
}

func appendCopy(b []byte, id LSN, queues []QueueID, message []byte) []byte {
	start := len(b)
	b = binary.AppendUvarint(beginRecord(b, kindCopy), uint64(id))
	b = appendQueues(b, queues)
	return endRecord(append(b, message...), start)
}

// appendSettle needs at least one id. Ids in rising order make the record smallest.
func appendSettle(b []byte, q QueueID, ids []LSN) []byte {
	start := len(b)
	b = binary.AppendUvarint(beginRecord(b, kindSettle), uint64(q))
	b = binary.AppendUvarint(b, uint64(len(ids)))
	b = binary.AppendUvarint(b, uint64(ids[0]))
	for i, id := range ids[1:] {
		b = binary.AppendVarint(b, int64(id-ids[i]))
	}
	return endRecord(b, start)
}

func appendDelete(b []byte, q QueueID) []byte {
	start := len(b)
	return endRecord(binary.AppendUvarint(beginRecord(b, kindDelete), uint64(q)), start)
}

func appendDefinition(b, definition []byte) []byte {
	start := len(b)
	return endRecord(append(beginRecord(b, kindDefinition), definition...), start)
}

// record is a decoded record. Its slices belong to it and are used again by the next decode,
// except message, which aliases the input.
type record struct {
	kind    kind
	id      LSN       // publish, copy
	queues  []QueueID // publish, copy
	message []byte    // publish, copy; definition
	queue   QueueID   // settle, delete
	ids     []LSN     // settle
}

// decode reads the body (kind and content) of the record at that position. What it allocates is
// bounded by len(body).
func (r *record) decode(lsn LSN, body []byte) error {
	if len(body) == 0 {
		return fmt.Errorf("%w: it is empty", errContent)
	}
	in := input{b: body[1:]}
	r.kind, r.id, r.queue, r.message = kind(body[0]), lsn, 0, nil
	r.queues, r.ids = r.queues[:0], r.ids[:0]
	switch r.kind {
	case kindGroup:
		in.bad = string(in.b) != groupMark
		in.b = nil
	case kindPublish:
		r.queues = in.queues(r.queues)
		r.message = in.rest()
	case kindCopy:
		r.id = LSN(in.uvarint())
		r.queues = in.queues(r.queues)
		r.message = in.rest()
	case kindSettle:
		r.queue = QueueID(in.uvarint())
		r.ids = in.ids(r.ids)
	case kindDelete:
		r.queue = QueueID(in.uvarint())
	case kindDefinition:
		r.message = in.rest()
	default:
		return fmt.Errorf("%w: unknown kind %d", errContent, body[0])
	}
	if in.bad || len(in.b) > 0 {
		return fmt.Errorf("%w: kind %d", errContent, body[0])
	}
	return nil
}

// input reads the content of a record; bad is set at the first thing that does not fit.
type input struct {
	b   []byte
	bad bool
}

func (in *input) uvarint() uint64 {
	v, n := binary.Uvarint(in.b)
	if n <= 0 {
		in.bad, in.b = true, nil
		return 0
	}
	in.b = in.b[n:]
	return v
}

func (in *input) varint() int64 {
	v, n := binary.Varint(in.b)
	if n <= 0 {
		in.bad, in.b = true, nil
		return 0
	}
	in.b = in.b[n:]
	return v
}

// count reads the length of a list whose elements take at least one byte each.
func (in *input) count() int {
	n := in.uvarint()
	if n == 0 || n > uint64(len(in.b)) {
		in.bad = true
		return 0
	}
	return int(n)
}

func (in *input) queues(dst []QueueID) []QueueID {
	for n := in.count(); n > 0 && !in.bad; n-- {
		dst = append(dst, QueueID(in.uvarint()))
	}
	return dst
}

func (in *input) ids(dst []LSN) []LSN {
	n := in.count()
	if in.bad {
		return dst
	}
	id := LSN(in.uvarint())
	dst = append(dst, id)
	for ; n > 1 && !in.bad; n-- {
		id += LSN(in.varint())
		dst = append(dst, id)
	}
	return dst
}

func (in *input) rest() []byte {
	b := in.b
	in.b = nil
	return b
}
