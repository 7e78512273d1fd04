package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/poison"
)

// windowBytes is read at once while scanning; a larger record makes the window larger.
const windowBytes = 256 << 10

// errBroken means that there is no valid record where one should be.
var errBroken = errors.New("no valid record")

// ErrDamaged is in every error that says that a file holds what a crash cannot leave behind.
var ErrDamaged = errors.New("damaged")

// DamageError says that a file holds something a crash cannot leave behind: the disk, the file
// system or a hand changed it. It is ErrDamaged.
type DamageError struct {
	File   string // full path
	Offset int64  // where the first thing wrong is
	Reason string
}

// Error names file, offset and reason.
func (e *DamageError) Error() string {
	return fmt.Sprintf("store: %s is damaged at offset %d: %s", e.File, e.Offset, e.Reason)
}

// Unwrap returns ErrDamaged.
func (e *DamageError) Unwrap() error { return ErrDamaged }

// hole is a part of a log file that is damaged, which recovery has found and told: the index knows
// of nothing there, and what is around it is read all the same.
type hole struct{ from, to int64 }

// scanner reads the records of a file one after the other.
type scanner struct {
	file   disk.File
	name   string // full path, for errors
	number uint32 // of the file; 0: a journal
	size   int64  // no record ends after it
	seed   uint32
	offset int64 // of the record that next returns
	// unchecked: any checksum will do (see Options.without).
	unchecked bool

	// holes are passed over by message.
	holes []hole

	window   []byte
	windowAt int64 // offset of window[0]
	// piece is how much is read at once; 0: windowBytes.
	piece int64
	// lent: others use what is in the window. The next bytes are read into other memory.
	lent bool
}

func newScanner(file disk.File, name string) (*scanner, error) {
	size, err := file.Size()
	if err != nil {
		return nil, fmt.Errorf("store: size of %s: %w", name, err)
	}
	return &scanner{file: file, name: name, size: size}, nil
}

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

// next returns the body of the next record, valid until the next call. At the end the error is
// io.EOF, in front of anything but a valid record errBroken.
func (sc *scanner) next() ([]byte, error) {
	left := sc.size - sc.offset
	if left <= 0 {
		return nil, io.EOF
	}
	if left <= recordHeadBytes {
		return nil, errBroken
	}
	head, err := sc.bytes(sc.offset, recordHeadBytes)
	if err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(head))
	if n == 0 || n > recordBytesMax || n > left-recordHeadBytes {
		return nil, errBroken
	}
	b, err := sc.bytes(sc.offset, recordHeadBytes+n)
	if err != nil {
		return nil, err
	}
	body, at := b[recordHeadBytes:], placeOf(sc.number, sc.offset)
	if checksum(sc.seed, at, body) != binary.LittleEndian.Uint32(b[4:]) && !sc.unchecked {
		return nil, errBroken
	}
	sc.offset += recordHeadBytes + n
	return body, nil
}

// record reads and decodes the next record. A content that makes no sense is damage: its
// checksum was right.
func (sc *scanner) record(r *record) error {
	offset := sc.offset
	body, err := sc.next()
	if err != nil {
		return err
	}
	if err := r.decode(body); err != nil {
		return &DamageError{File: sc.name, Offset: offset, Reason: err.Error()}
	}
	return nil
}

// message is record for files with messages: it passes over groups, padding, and what does not
// concern a message.
func (sc *scanner) message(r *record) error {
	for {
		for _, h := range sc.holes {
			if sc.offset >= h.from && sc.offset < h.to {
				sc.offset = h.to
			}
		}
		offset := sc.offset
		err := sc.record(r)
		if errors.Is(err, errBroken) {
			padded, padErr := sc.padded()
			if padErr != nil {
				return padErr
			}
			if padded && sc.offset > offset {
				continue
			}
			return &DamageError{File: sc.name, Offset: offset, Reason: err.Error()}
		}
		if err != nil || r.kind == kindPublish || r.kind == kindCopy {
			return err
		}
	}
}

// padded says whether nothing but padding follows up to the next block, and goes there.
func (sc *scanner) padded() (bool, error) {
	end := min(blockAfter(sc.offset), sc.size)
	b, err := sc.bytes(sc.offset, end-sc.offset)
	if err != nil || len(bytes.Trim(b, "\x00")) > 0 {
		return false, err
	}
	sc.offset = end
	return true, nil
}

// blockAfter is the first beginning of a block at or after offset.
func blockAfter(offset int64) int64 {
	return (offset + disk.BlockBytes - 1) / disk.BlockBytes * disk.BlockBytes
}

// bytes returns n bytes at an offset; they are within size.
func (sc *scanner) bytes(offset, n int64) ([]byte, error) {
	if offset < sc.windowAt || offset+n > sc.windowAt+int64(len(sc.window)) {
		if err := sc.read(offset, n); err != nil {
			return nil, err
		}
	}
	start := offset - sc.windowAt
	return sc.window[start : start+n : start+n], nil
}

// read makes a window that begins at an offset and has n bytes at least. What the one before had of
// it is copied.
func (sc *scanner) read(offset, n int64) error {
	piece := sc.piece
	if piece == 0 {
		piece = windowBytes
	}
	n = min(max(n, piece), sc.size-offset)
	var known []byte
	if at := offset - sc.windowAt; at >= 0 && at < int64(len(sc.window)) {
		known = sc.window[at:]
	}
	window := sc.window
	if sc.lent || int64(cap(window)) < n {
		window, sc.lent = make([]byte, n), false
	}
	window = window[:n]
	have := int64(copy(window, known))
	poison.Bytes(window[have:])
	sc.window, sc.windowAt = window, offset
	if got, err := sc.file.ReadAt(window[have:], offset+have); int64(got) < n-have {
		sc.window = window[:0]
		if errors.Is(err, io.EOF) {
			return &DamageError{File: sc.name, Offset: offset + have + int64(got),
				Reason: "it ends"}
		}
		return fmt.Errorf("store: read %s: %w", sc.name, err)
	}
	return nil
}

// close closes the file.
func (sc *scanner) close() { _ = sc.file.Close() } // read only: nothing to lose

// findGroup returns the offset of the first valid group record of a journal at or after from.
func (sc *scanner) findGroup(from int64) (int64, bool, error) {
	const head = recordHeadBytes + 1
	for at := from; sc.size-at >= int64(groupFixedBytes); {
		b, err := sc.bytes(at, min(windowBytes, sc.size-at))
		if err != nil {
			return 0, false, err
		}
		i := bytes.Index(b, []byte(groupMark))
		if i < 0 {
			at += int64(len(b)) - int64(len(groupMark)) + 1
			continue
		}
		if start := at + int64(i) - head; start >= from && sc.isGroup(start) {
			return start, true, nil
		}
		at += int64(i) + 1
	}
	return 0, false, nil
}

func (sc *scanner) isGroup(offset int64) bool {
	probe := *sc // its own window, so that the search keeps its place
	probe.window, probe.offset = nil, offset
	body, err := probe.next()
	return err == nil && kind(body[0]) == kindGroup
}
