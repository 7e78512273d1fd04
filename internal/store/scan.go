package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/warrenmq/warren/internal/disk"
)

// windowBytes is read at once while scanning; a larger record makes the window larger.
const windowBytes = 256 << 10

// errBroken means that there is no valid record where one should be.
var errBroken = errors.New("no valid record")

// DamageError says that a file holds something a crash cannot leave behind: the disk, the file
// system or a hand changed it. The store refuses to start rather than to lose what it promised.
type DamageError struct {
	File   string // full path
	Offset int64  // where the first thing wrong is
	Reason string
}

// Error names file, offset and reason.
func (e *DamageError) Error() string {
	return fmt.Sprintf("store: %s is damaged at offset %d: %s", e.File, e.Offset, e.Reason)
}

// scanner reads the records of a file one after the other.
type scanner struct {
	file   disk.File
	name   string // full path, for errors
	size   int64  // no record ends after it
	first  LSN    // position of offset headerBytes
	seed   uint32
	offset int64 // of the record that next returns

	window   []byte
	windowAt int64 // offset of window[0]
}

func (sc *scanner) lsn(offset int64) LSN { return sc.first + LSN(offset-headerBytes) }

// header reads and checks the first bytes of the file.
func (sc *scanner) header(magic string) (header, error) {
	b, err := sc.bytes(0, min(headerBytes, sc.size))
	if err != nil {
		return header{}, err
	}
	h, err := parseHeader(b, magic)
	if errors.Is(err, errHeader) {
		return h, &DamageError{File: sc.name, Reason: err.Error()}
	}
	if err != nil {
		return h, fmt.Errorf("store: %s: %w", sc.name, err)
	}
	return h, nil
}

// next returns the body of the next record, valid until the next call, and its position. At the
// end the error is io.EOF, in front of anything but a valid record errBroken.
func (sc *scanner) next() (LSN, []byte, error) {
	left := sc.size - sc.offset
	if left == 0 {
		return 0, nil, io.EOF
	}
	if left <= recordHeadBytes {
		return 0, nil, errBroken
	}
	head, err := sc.bytes(sc.offset, recordHeadBytes)
	if err != nil {
		return 0, nil, err
	}
	n := int64(binary.LittleEndian.Uint32(head))
	if n == 0 || n > recordBytesMax || n > left-recordHeadBytes {
		return 0, nil, errBroken
	}
	b, err := sc.bytes(sc.offset, recordHeadBytes+n)
	if err != nil {
		return 0, nil, err
	}
	lsn, body := sc.lsn(sc.offset), b[recordHeadBytes:]
	if checksum(sc.seed, lsn, body) != binary.LittleEndian.Uint32(b[4:]) {
		return 0, nil, errBroken
	}
	sc.offset += recordHeadBytes + n
	return lsn, body, nil
}

// record reads and decodes the next record of a file in which nothing can be torn. At the end
// the error is io.EOF.
func (sc *scanner) record(r *record) error {
	offset := sc.offset
	lsn, body, err := sc.next()
	if err == nil {
		err = r.decode(lsn, body)
	}
	if errors.Is(err, errBroken) || errors.Is(err, errContent) {
		return &DamageError{File: sc.name, Offset: offset, Reason: err.Error()}
	}
	return err
}

// recordOrTail is record for a file whose last write may be torn. Then the error is io.EOF too,
// and the torn bytes are reported, once, and count as absent.
func (sc *scanner) recordOrTail(r *record) (torn int64, err error) {
	err = sc.record(r)
	var damage *DamageError
	if !errors.As(err, &damage) || damage.Offset != sc.offset {
		return 0, err // of an invalid content the checksum was right, and sc is behind it
	}
	if torn, err = sc.tail(); err != nil {
		return 0, err
	}
	sc.size -= torn
	return torn, io.EOF
}

// bytes returns n bytes at an offset; they are within size.
func (sc *scanner) bytes(offset, n int64) ([]byte, error) {
	if offset < sc.windowAt || offset+n > sc.windowAt+int64(len(sc.window)) {
		if err := sc.read(offset, n); err != nil {
			return nil, err
		}
	}
	start := offset - sc.windowAt
	return sc.window[start : start+n], nil
}

func (sc *scanner) read(offset, n int64) error {
	n = min(max(n, windowBytes), sc.size-offset)
	if int64(cap(sc.window)) < n {
		sc.window = make([]byte, n)
	}
	sc.window, sc.windowAt = sc.window[:n], offset
	if got, err := sc.file.ReadAt(sc.window, offset); int64(got) < n {
		sc.window = sc.window[:0]
		return fmt.Errorf("store: read %s: %w", sc.name, err)
	}
	return nil
}

// tail decides what follows an errBroken. If it can be what a crash leaves of the last write,
// it returns how many bytes to cut off. Each write begins with a group record, and only after
// the write before was synced. So a valid group after the broken place proves that this place
// was once on stable storage, and is not a torn write but damage. Other valid records after it
// prove nothing: blocks of the last write reach the disk in any order.
func (sc *scanner) tail() (int64, error) {
	at, found, err := sc.findGroup(sc.offset + 1)
	switch {
	case err != nil:
		return 0, err
	case found:
		reason := fmt.Sprintf("no valid record, but later writes follow from offset %d", at)
		return 0, &DamageError{File: sc.name, Offset: sc.offset, Reason: reason}
	}
	return sc.size - sc.offset, nil
}

// findGroup returns the offset of the first valid group record at or after from.
func (sc *scanner) findGroup(from int64) (int64, bool, error) {
	for at := from; sc.size-at >= int64(groupBytes); {
		b, err := sc.bytes(at, min(windowBytes, sc.size-at))
		if err != nil {
			return 0, false, err
		}
		i := bytes.Index(b, []byte(groupMark))
		if i < 0 {
			at += int64(len(b)) - int64(len(groupMark)) + 1
			continue
		}
		if start := at + int64(i) - recordHeadBytes - 1; start >= from && sc.isGroup(start) {
			return start, true, nil
		}
		at += int64(i) + 1
	}
	return 0, false, nil
}

func (sc *scanner) isGroup(offset int64) bool {
	probe := *sc // its own window, so that the search keeps its place
	probe.window, probe.offset = nil, offset
	probe.size = min(probe.size, offset+int64(groupBytes))
	_, body, err := probe.next()
	return err == nil && kind(body[0]) == kindGroup
}
