package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store/index"
)

// encode is the inverse of decode.
func (r *record) encode() []byte {
	switch r.kind {
	case kindGroup:
		b := appendGroup(nil, r.before, r.queues)
		binary.LittleEndian.PutUint32(b[recordHeadBytes+1+len(groupMark):], uint32(r.length))
		return b
	case kindPublish:
		var queues []*Queue
		for _, q := range r.queues {
			queues = append(queues, &Queue{id: q})
		}
		return appendPublish(nil, queues, r.numbers, [][]byte{r.message})
	case kindCopy:
		if len(r.queues) == 1 {
			return appendCopy(nil, r.queues[0], r.numbers[0], r.message)
		}
		as := *r // none is written, but the shape allows it
		as.kind = kindPublish
		b := as.encode()
		b[recordHeadBytes] = byte(kindCopy)
		return b
	case kindSettle:
		return appendSettle(nil, r.queue, r.ranges)
	case kindDelete:
		return appendDelete(nil, r.queue)
	case kindTruncate:
		return appendTruncate(nil, r.queue, r.from)
	default:
		return appendDefinition(nil, r.message)
	}
}

func randomRecord(random *rand.Rand) record {
	// Small numbers and those that need all bytes, both in plenty.
	any64 := func() uint64 { return random.Uint64() >> random.IntN(64) }
	number := func() uint64 { return max(1, any64()&index.NumberMax) }
	r := record{kind: kindGroup + kind(random.IntN(int(kindTruncate)))}
	switch r.kind {
	case kindGroup:
		r.length, r.before = int64(random.Uint32()), place(any64())
		for range random.IntN(5) {
			r.queues = append(r.queues, QueueID(any64()))
		}
	case kindPublish, kindCopy:
		for range 1 + random.IntN(5) {
			r.queues = append(r.queues, QueueID(any64()))
			r.numbers = append(r.numbers, number())
			if r.kind == kindCopy {
				break
			}
		}
		r.message = make([]byte, random.IntN(100))
	case kindSettle:
		r.queue = QueueID(any64())
		for first := number() >> 1; len(r.ranges) < 1+random.IntN(5); {
			x := Range{first + 1, first + 1 + any64()>>40}
			r.ranges = append(r.ranges, x)
			first = x.Last + any64()>>40
		}
	case kindDelete:
		r.queue = QueueID(any64())
	case kindTruncate:
		r.queue, r.from = QueueID(any64()), number()
	case kindDefinition:
		r.message = make([]byte, random.IntN(100))
	}
	return r
}

func sameRecord(a, b *record) bool {
	same := a.kind == b.kind && a.queue == b.queue &&
		slices.Equal(a.queues, b.queues) && slices.Equal(a.numbers, b.numbers) &&
		slices.Equal(a.ranges, b.ranges) && bytes.Equal(a.message, b.message)
	switch a.kind {
	case kindGroup:
		return same && a.length == b.length && a.before == b.before
	case kindTruncate:
		return same && a.from == b.from
	}
	return same
}

func TestDecodedRecordIsTheEncodedOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var got record // used again, as in recovery
	for range 20000 {
		want := randomRecord(random)
		b := want.encode()
		if n := int(binary.LittleEndian.Uint32(b)); n != len(b)-recordHeadBytes {
			t.Fatalf("length %d of %d bytes", n, len(b))
		}
		if err := got.decode(b[recordHeadBytes:]); err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if !sameRecord(&got, &want) {
			t.Fatalf("decoded %+v, encoded %+v", got, want)
		}
		switch want.kind {
		case kindSettle, kindDelete, kindGroup, kindTruncate:
			// Nothing shorter is valid; of a message the end may be missing.
			for n := range b[recordHeadBytes:] {
				if err := got.decode(b[recordHeadBytes:][:n]); !errors.Is(err, errContent) {
					t.Fatalf("%d bytes of %+v: %v", n, want, err)
				}
			}
		}
	}
}

func TestRecordWithWrongContentIsRefused(t *testing.T) {
	endless := bytes.Repeat([]byte{0xff}, 11)
	for name, body := range map[string][]byte{
		"no kind":            {},
		"unknown kind":       {99, 1},
		"kind 0":             {0},
		"publish to nobody":  {byte(kindPublish), 0, 'x'},
		"number 0":           {byte(kindPublish), 1, 7, 0, 'x'},
		"too many queues":    {byte(kindPublish), 200, 1, 1},
		"settle of nothing":  {byte(kindSettle), 1, 0},
		"settle of number 0": {byte(kindSettle), 1, 1, 0, 0},
		"settle with a tail": {byte(kindSettle), 1, 1, 5, 0, 5},
		"range too long":     append([]byte{byte(kindSettle), 1, 1, 5}, endless...),
		"delete with a tail": {byte(kindDelete), 1, 1},
		"truncate from 0":    {byte(kindTruncate), 1, 0},
		"endless number":     append([]byte{byte(kindDelete)}, endless...),
		"group of another":   append([]byte{byte(kindGroup)}, "Group\r\n000000000000"...),
		"group cut short":    append([]byte{byte(kindGroup)}, groupMark+"0000"...),
	} {
		if err := new(record).decode(body); !errors.Is(err, errContent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecordIsValidOnlyInItsPlace(t *testing.T) {
	seed := directoryID{1}.seed()
	b := appendDelete(appendGroup(nil, 0, nil), 1)
	seal(b, placeOf(7, dataStart), seed)
	m := newDisk(t)
	f, err := m.Open(worldDir+"/f", disk.Create)
	must(t, err)
	for _, at := range []int64{dataStart, dataStart + 8} {
		_, err = f.WriteAt(b, at)
		must(t, err)
		for _, c := range []struct {
			number uint32
			seed   uint32
			valid  bool
		}{
			{7, seed, true}, {8, seed, false}, {7 + 1<<12, seed, false}, {0, seed, false},
			{7, directoryID{2}.seed(), false},
		} {
			sc := scanner{file: f, size: at + int64(len(b)), number: c.number, seed: c.seed,
				offset: at}
			_, err := sc.next()
			if valid := err == nil; valid != (c.valid && at == dataStart) {
				t.Errorf("at %d of file %d with seed %x: %v", at, c.number, c.seed, err)
			}
			if err != nil && !errors.Is(err, errBroken) {
				t.Error(err)
			}
		}
	}
	must(t, f.Close())
}

func TestHeaderIsReadBack(t *testing.T) {
	want := header{id: directoryID{1, 2, 3}, number: 7, base: 8}
	b := want.append(nil, roleLog.magic())
	if len(b) != headerBytes {
		t.Fatalf("%d bytes", len(b))
	}
	got, err := parseHeader(b, roleLog.magic())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := parseHeader(b, roleSegment.magic()); !errors.Is(err, errHeader) {
		t.Errorf("header of another kind of file: %v", err)
	}
	for i := range b {
		b[i] ^= 1
		if _, err := parseHeader(b, roleLog.magic()); !errors.Is(err, errHeader) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		b[i] ^= 1
	}
}

func TestFileNamesAreRecognized(t *testing.T) {
	for _, n := range []uint32{1, 42, 99_999_999, 100_000_000, 1<<32 - 1} {
		for r := range roles {
			name := fileName(r, n)
			if gotRole, got, ok := parseFileName(name); !ok || got != n || gotRole != r {
				t.Errorf("%s: %d of role %d, %v", name, got, gotRole, ok)
			}
		}
	}
	for _, name := range []string{"", lockName, definitionsName, manifestName, reserveName,
		mergeRoomName,
		"messages-1.log", "messages-00000000.log", "messages-0000000x.log",
		"messages-00000001.log.bak", "messages-99999999999.log", "segment-00000001.log"} {
		if _, n, ok := parseFileName(name); ok {
			t.Errorf("%q taken for file %d", name, n)
		}
	}
}

func FuzzRecordDecode(f *testing.F) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		r := randomRecord(random)
		f.Add(r.encode()[recordHeadBytes:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var r, again record
		if r.decode(body) != nil {
			return
		}
		if len(r.queues)+len(r.numbers)+2*len(r.ranges)+len(r.message) > len(body) {
			t.Fatalf("more than was there: %+v of %d bytes", r, len(body))
		}
		err := again.decode(r.encode()[recordHeadBytes:])
		if err != nil || !sameRecord(&r, &again) {
			t.Fatalf("%+v encoded and decoded: %+v, %v", r, again, err)
		}
	})
}
