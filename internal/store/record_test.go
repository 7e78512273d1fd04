package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

// encode is the inverse of decode.
func (r *record) encode() []byte {
	switch r.kind {
	case kindGroup:
		return appendGroup(nil)
	case kindPublish:
		return appendPublish(nil, r.queues, [][]byte{r.message})
	case kindCopy:
		return appendCopy(nil, r.id, r.queues, r.message)
	case kindSettle:
		return appendSettle(nil, r.queue, r.ids)
	case kindDelete:
		return appendDelete(nil, r.queue)
	default:
		return appendDefinition(nil, r.message)
	}
}

func randomRecord(random *rand.Rand) record {
	// Small numbers and those that need all bytes, both in plenty.
	number := func() uint64 { return random.Uint64() >> random.IntN(64) }
	r := record{kind: kindGroup + kind(random.IntN(int(kindDefinition)))}
	switch r.kind {
	case kindPublish, kindCopy:
		for range 1 + random.IntN(5) {
			r.queues = append(r.queues, QueueID(number()))
		}
		r.id = LSN(number())
		r.message = make([]byte, random.IntN(100))
	case kindSettle:
		for range 1 + random.IntN(5) {
			r.ids = append(r.ids, LSN(number()))
		}
		r.queue = QueueID(number())
	case kindDelete:
		r.queue = QueueID(number())
	case kindDefinition:
		r.message = make([]byte, random.IntN(100))
	}
	return r
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
		if err := got.decode(want.id, b[recordHeadBytes:]); err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if !sameRecord(&got, &want) {
			t.Fatalf("decoded %+v, encoded %+v", got, want)
		}
		// Nothing shorter is valid, except that of a message the end may be missing.
		if want.kind == kindSettle || want.kind == kindDelete || want.kind == kindGroup {
			for n := range b[recordHeadBytes:] {
				if err := got.decode(0, b[recordHeadBytes:][:n]); !errors.Is(err, errContent) {
					t.Fatalf("%d bytes of %+v: %v", n, want, err)
				}
			}
		}
	}
}

func sameRecord(a, b *record) bool {
	return a.kind == b.kind && a.id == b.id && a.queue == b.queue &&
		slices.Equal(a.queues, b.queues) && slices.Equal(a.ids, b.ids) &&
		bytes.Equal(a.message, b.message)
}

func TestRecordWithWrongContentIsRefused(t *testing.T) {
	for name, body := range map[string][]byte{
		"no kind":            {},
		"unknown kind":       {99, 1},
		"kind 0":             {0},
		"publish to nobody":  {byte(kindPublish), 0, 'x'},
		"too many queues":    {byte(kindPublish), 200, 1, 1},
		"settle of nothing":  {byte(kindSettle), 1, 0},
		"settle with a tail": {byte(kindSettle), 1, 1, 5, 5},
		"delete with a tail": {byte(kindDelete), 1, 1},
		"endless number":     append([]byte{byte(kindDelete)}, bytes.Repeat([]byte{0xff}, 11)...),
		"group of another":   append([]byte{byte(kindGroup)}, "\xF0Group\r\n"...),
	} {
		if err := new(record).decode(1, body); !errors.Is(err, errContent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecordIsValidOnlyInItsPlace(t *testing.T) {
	seed := directoryID{1}.seed()
	b := appendPublish(appendGroup(nil), []QueueID{1}, [][]byte{[]byte("x")})
	seal(b, 1000, seed)
	m := newDisk(t)
	f, err := m.Open(worldDir+"/f", disk.Create)
	must(t, err)
	_, err = f.WriteAt(b, headerBytes)
	must(t, err)
	for _, c := range []struct {
		first LSN
		seed  uint32
		want  error
	}{
		{1000, seed, nil}, {1001, seed, errBroken}, {1000 + 1<<32, seed, errBroken},
		{1000, directoryID{2}.seed(), errBroken},
	} {
		sc := scanner{file: f, size: headerBytes + int64(len(b)), first: c.first, seed: c.seed,
			offset: headerBytes}
		if _, _, err := sc.next(); !errors.Is(err, c.want) {
			t.Errorf("at %d with seed %x: %v, want %v", c.first, c.seed, err, c.want)
		}
	}
	must(t, f.Close())
}

func TestHeaderIsReadBack(t *testing.T) {
	want := header{id: directoryID{1, 2, 3}, number: 7, a: 8, b: 9}
	b := want.append(nil, logMagic)
	if len(b) != headerBytes {
		t.Fatalf("%d bytes", len(b))
	}
	got, err := parseHeader(b, logMagic)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := parseHeader(b, definitionsMagic); !errors.Is(err, errHeader) {
		t.Errorf("header of another kind of file: %v", err)
	}
	for i := range b {
		b[i] ^= 1
		if _, err := parseHeader(b, logMagic); !errors.Is(err, errHeader) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		b[i] ^= 1
	}
}

func TestLogNamesAreRecognized(t *testing.T) {
	for _, n := range []uint32{1, 42, 99_999_999, 100_000_000, 1<<32 - 1} {
		if got, ok := parseLogName(logName(n)); !ok || got != n {
			t.Errorf("%s: %d, %v", logName(n), got, ok)
		}
	}
	for _, name := range []string{"", lockName, definitionsName, "messages-1.log",
		"messages-00000000.log", "messages-0000000x.log", "messages-00000001.log.bak",
		"messages-99999999999.log"} {
		if n, ok := parseLogName(name); ok {
			t.Errorf("%q taken for file %d", name, n)
		}
	}
}

func FuzzRecordDecode(f *testing.F) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		r := randomRecord(random)
		f.Add(r.encode()[recordHeadBytes:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var r, again record
		if r.decode(7, body) != nil {
			return
		}
		if len(r.queues)+len(r.ids)+len(r.message) > len(body) {
			t.Fatalf("more than was there: %+v of %d bytes", r, len(body))
		}
		err := again.decode(7, r.encode()[recordHeadBytes:])
		if err != nil || !sameRecord(&r, &again) {
			t.Fatalf("%+v encoded and decoded: %+v, %v", r, again, err)
		}
	})
}

// FuzzScan reads any bytes as a log file: sealed or not, cut or not, it ends, and what is read of
// a sealed file is what was there.
func FuzzScan(f *testing.F) {
	f.Add(appendPublish(appendGroup(nil), []QueueID{1}, [][]byte{[]byte("x")}), true)
	f.Add([]byte(groupMark+groupMark), false)
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		const seed = 99
		if sealed && wellFormed(b) {
			seal(b, 1000, seed)
		}
		m := newDisk(t)
		file, err := m.Open(worldDir+"/f", disk.Create)
		must(t, err)
		_, err = file.WriteAt(b, headerBytes)
		must(t, err)
		sc := &scanner{file: file, name: "f", size: headerBytes + int64(len(b)), first: 1000,
			seed: seed, offset: headerBytes}
		var r record
		for err == nil {
			_, err = sc.recordOrTail(&r)
		}
		damage := (*DamageError)(nil)
		if !errors.Is(err, io.EOF) && !errors.As(err, &damage) {
			t.Fatal(err)
		}
	})
}

// wellFormed says whether the lengths in b are those of records.
func wellFormed(b []byte) bool {
	for len(b) > 0 {
		if len(b) <= recordHeadBytes {
			return false
		}
		n := uint64(binary.LittleEndian.Uint32(b))
		if n == 0 || n > uint64(len(b)-recordHeadBytes) {
			return false
		}
		b = b[recordHeadBytes+n:]
	}
	return true
}
