package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/warrenmq/warren/internal/store/index"
)

// The record is the unit of every file of the store. Integers are little endian, "uvarint" is
// that of encoding/binary. These values and shapes never change; what changes gets a new kind, or
// a new format version in the file header.
//
//	 0       4       8      9
//	┌───────┬───────┬──────┬─────────┐
//	│ len   │ crc   │ kind │ content │   len u32 = bytes of kind and content
//	└───────┴───────┴──────┴─────────┘   crc u32 = see checksum
//
// Its position is not written: it follows from the place, and the checksum covers it. A record
// found in another place, in another directory's file, or left over from an earlier use of a
// recycled file is therefore invalid.
//
//	kind           content
//	1 group        mark [7]byte, length u32, before u64, queues: see appendGroup
//	2 publish      entries, message
//	3 copy         entries (one), message: moved to a segment, or spilled
//	4 settle       queue uvarint, ranges
//	5 delete       queue uvarint
//	6 definition   record of a journal, opaque
//	7 truncate     queue uvarint, from uvarint: everything from that number on is gone
//
//	queues         count uvarint, count × queue uvarint
//	entries        count uvarint (≥ 1), count × (queue uvarint, number uvarint)
//	ranges         count uvarint (≥ 1), count × (first uvarint, last - first uvarint); each first
//	               counts from the last of the range before
//	message        the rest of the record
//
// A queue stands for any logical log: a record says to which ones it belongs and under which
// numbers, which is all that a replicated log needs besides.
const (
	recordHeadBytes = 8
	groupMark       = "GROUP\r\n"
	// groupFixedBytes of a group record come before its queues.
	groupFixedBytes = recordHeadBytes + 1 + len(groupMark) + 4 + 8
)

type kind uint8

const (
	kindGroup kind = 1 + iota
	kindPublish
	kindCopy
	kindSettle
	kindDelete
	kindDefinition
	kindTruncate
)

const (
	// MessageBytesMax is the largest message Publish takes.
	MessageBytesMax = 512 << 20
	// FanOutMax is the largest number of queues of one Publish.
	FanOutMax = 1 << 20
	// DefinitionBytesMax is the largest record Define takes.
	DefinitionBytesMax = 16 << 20

	// rangesMax keeps one settle record small; Settle writes several when it has to.
	rangesMax = 1 << 15
	// recordBytesMax bounds what the length of a record may claim. The largest record written is
	// MessageBytesMax and FanOutMax entries of 20 bytes.
	recordBytesMax = 1 << 30
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	// errContent means a record whose checksum is right has content that makes no sense.
	errContent = errors.New("content of record is invalid")
)

// place is a position: the number of a file in the upper half, the offset in it in the lower.
// No file number is used twice in a directory, so neither is a place.
type place uint64

func placeOf(file uint32, offset int64) place { return place(file)<<32 | place(uint32(offset)) }

func (p place) file() uint32  { return uint32(p >> 32) }
func (p place) offset() int64 { return int64(uint32(p)) }

// placeFactor spreads file numbers, so that places of different files that differ by the same
// bits as their offsets are told apart.
const placeFactor = 0x9E3779B1

// checksum of a record's kind and content. The start value binds it to the directory (seed, made
// of its random id, so that a message cannot be composed to look like a record) and to the place.
func checksum(seed uint32, at place, body []byte) uint32 {
	return crc32.Update(seed^uint32(at)^uint32(at>>32)*placeFactor, castagnoli, body)
}

func beginRecord(b []byte, k kind) []byte {
	return append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(k))
}

// endRecord sets the length of the record that starts at start. The checksum is left to seal.
func endRecord(b []byte, start int) []byte {
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-recordHeadBytes))
	return b
}

// seal sets the checksums of the records in b, of which the first is at that place.
func seal(b []byte, at place, seed uint32) {
	for len(b) > 0 {
		n := recordHeadBytes + int(binary.LittleEndian.Uint32(b))
		binary.LittleEndian.PutUint32(b[4:], checksum(seed, at, b[recordHeadBytes:n]))
		b, at = b[n:], at+place(n)
	}
}

// appendGroup begins a group: what one write takes to the disk. before is the place of the group
// before it, queues are those which that group concerns: should it be damaged, they are known.
// setGroupLength completes the record when the group is.
func appendGroup(b []byte, before place, queues []QueueID) []byte {
	start := len(b)
	b = append(beginRecord(b, kindGroup), groupMark...)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(before))
	b = binary.AppendUvarint(b, uint64(len(queues)))
	for _, q := range queues {
		b = binary.AppendUvarint(b, uint64(q))
	}
	return endRecord(b, start)
}

// setGroupLength notes in the group record at the start of b how long the group is: a part of
// it that went missing is missed.
func setGroupLength(b []byte) {
	binary.LittleEndian.PutUint32(b[recordHeadBytes+1+len(groupMark):], uint32(len(b)))
}

func appendPublish(b []byte, queues []*Queue, numbers []uint64, message [][]byte) []byte {
	start := len(b)
	b = binary.AppendUvarint(beginRecord(b, kindPublish), uint64(len(queues)))
	for i, q := range queues {
		b = binary.AppendUvarint(b, uint64(q.id))
		b = binary.AppendUvarint(b, numbers[i])
	}
	for _, piece := range message {
		b = append(b, piece...)
	}
	return endRecord(b, start)
}

func appendCopy(b []byte, q QueueID, number uint64, message ...[]byte) []byte {
	start := len(b)
	b = append(beginRecord(b, kindCopy), 1)
	b = binary.AppendUvarint(b, uint64(q))
	b = binary.AppendUvarint(b, number)
	for _, piece := range message {
		b = append(b, piece...)
	}
	return endRecord(b, start)
}

// appendSettle needs at least one range; they rise and do not overlap.
func appendSettle(b []byte, q QueueID, ranges []Range) []byte {
	start := len(b)
	b = binary.AppendUvarint(beginRecord(b, kindSettle), uint64(q))
	b = binary.AppendUvarint(b, uint64(len(ranges)))
	last := uint64(0)
	for _, r := range ranges {
		b = binary.AppendUvarint(b, r.First-last)
		b = binary.AppendUvarint(b, r.Last-r.First)
		last = r.Last
	}
	return endRecord(b, start)
}

func appendDelete(b []byte, q QueueID) []byte {
	start := len(b)
	return endRecord(binary.AppendUvarint(beginRecord(b, kindDelete), uint64(q)), start)
}

func appendTruncate(b []byte, q QueueID, from uint64) []byte {
	start := len(b)
	b = binary.AppendUvarint(beginRecord(b, kindTruncate), uint64(q))
	return endRecord(binary.AppendUvarint(b, from), start)
}

func appendDefinition(b, definition []byte) []byte {
	start := len(b)
	return endRecord(append(beginRecord(b, kindDefinition), definition...), start)
}

// record is a decoded record. Its slices belong to it and are used again by the next decode,
// except message, which aliases the input.
type record struct {
	kind    kind
	length  int64     // group
	before  place     // group
	queues  []QueueID // group; publish, copy
	numbers []uint64  // publish, copy: for each of queues
	message []byte    // publish, copy; definition
	queue   QueueID   // settle, delete, truncate
	ranges  []Range   // settle
	from    uint64    // truncate
}

// decode reads the body (kind and content) of a record. What it allocates is bounded by
// len(body).
func (r *record) decode(body []byte) error {
	if len(body) == 0 {
		return fmt.Errorf("%w: it is empty", errContent)
	}
	in := input{b: body[1:]}
	r.kind, r.queue, r.message = kind(body[0]), 0, nil
	r.queues, r.numbers, r.ranges = r.queues[:0], r.numbers[:0], r.ranges[:0]
	switch r.kind {
	case kindGroup:
		in.group(r)
	case kindPublish, kindCopy:
		in.entries(r)
		r.message = in.rest()
	case kindSettle:
		r.queue = QueueID(in.uvarint())
		in.ranges(r)
	case kindDelete:
		r.queue = QueueID(in.uvarint())
	case kindTruncate:
		r.queue = QueueID(in.uvarint())
		r.from = in.number()
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

func (in *input) fail() { in.bad, in.b = true, nil }

func (in *input) uvarint() uint64 {
	v, n := binary.Uvarint(in.b)
	if n <= 0 {
		in.fail()
		return 0
	}
	in.b = in.b[n:]
	return v
}

// number reads the number of a message.
func (in *input) number() uint64 {
	n := in.uvarint()
	if n == 0 || n > index.NumberMax {
		in.fail()
	}
	return n
}

// count reads the length of a list whose elements take at least size bytes each.
func (in *input) count(size int) int {
	n := in.uvarint()
	if n > uint64(len(in.b)/size) {
		in.fail()
		return 0
	}
	return int(n)
}

func (in *input) group(r *record) {
	const fixed = len(groupMark) + 4 + 8
	if len(in.b) < fixed || string(in.b[:len(groupMark)]) != groupMark {
		in.fail()
		return
	}
	r.length = int64(binary.LittleEndian.Uint32(in.b[len(groupMark):]))
	r.before = place(binary.LittleEndian.Uint64(in.b[len(groupMark)+4:]))
	in.b = in.b[fixed:]
	for n := in.count(1); n > 0 && !in.bad; n-- {
		r.queues = append(r.queues, QueueID(in.uvarint()))
	}
}

func (in *input) entries(r *record) {
	n := in.count(2)
	if n == 0 {
		in.fail()
	}
	for ; n > 0 && !in.bad; n-- {
		r.queues = append(r.queues, QueueID(in.uvarint()))
		r.numbers = append(r.numbers, in.number())
	}
}

func (in *input) ranges(r *record) {
	n := in.count(2)
	if n == 0 {
		in.fail()
	}
	last := uint64(0)
	for ; n > 0 && !in.bad; n-- {
		first := last + in.uvarint()
		end := first + in.uvarint()
		if first == 0 || first < last || end < first || end > index.NumberMax {
			in.fail()
			return
		}
		r.ranges = append(r.ranges, Range{first, end})
		last = end
	}
}

func (in *input) rest() []byte {
	b := in.b
	in.b = nil
	return b
}
