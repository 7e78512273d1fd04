package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
	"strings"
)

// Every file begins with 64 bytes. Their shape is the same in all format versions, so that any
// version of warren can tell which one wrote a file.
//
//	 0       8         12         28       36       44       52      60    64
//	┌───────┬─────────┬──────────┬────────┬────────┬────────┬───────┬─────┐
//	│ magic │ version │ dir id   │ number │ a      │ b      │ zeros │ crc │   crc32c of 0..59
//	└───────┴─────────┴──────────┴────────┴────────┴────────┴───────┴─────┘
//
//	file          magic      number           a                   b
//	log           WARRENLG   1, 2, 3, ...     LSN at offset 64    LSN where the file before ended
//	definitions   WARRENDF   rewrites so far  bytes of snapshot   0
//
// dir id is random, made with the directory: files of two directories cannot be mixed up.
const (
	headerBytes      = 64
	logMagic         = "WARRENLG"
	definitionsMagic = "WARRENDF"
	formatVersion    = 1
)

// errHeader means that the first bytes of a file are no header.
var errHeader = errors.New("no valid file header")

type directoryID [16]byte

func (id directoryID) seed() uint32 { return crc32.Checksum(id[:], castagnoli) }

type header struct {
	id     directoryID
	number uint64
	a, b   uint64
}

func (h header) append(dst []byte, magic string) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint32(dst, formatVersion)
	dst = append(dst, h.id[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, h.number)
	dst = binary.LittleEndian.AppendUint64(dst, h.a)
	dst = binary.LittleEndian.AppendUint64(dst, h.b)
	dst = append(dst, make([]byte, 8)...)
	return appendHeaderSum(dst, start)
}

func appendHeaderSum(dst []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// parseHeader returns errHeader if b does not begin with a header, and an error that asks for a
// newer warren if it was written by one.
func parseHeader(b []byte, magic string) (header, error) {
	var h header
	if len(b) < headerBytes || !bytes.HasPrefix(b, []byte(magic)) {
		return h, errHeader
	}
	if binary.LittleEndian.Uint32(b[60:]) != crc32.Checksum(b[:60], castagnoli) {
		return h, errHeader
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return h, fmt.Errorf("format version %d is newer than this version of warren reads (%d): "+
			"start the newer warren that wrote it", v, formatVersion)
	}
	copy(h.id[:], b[12:])
	h.number = binary.LittleEndian.Uint64(b[28:])
	h.a = binary.LittleEndian.Uint64(b[36:])
	h.b = binary.LittleEndian.Uint64(b[44:])
	return h, nil
}

// The names in a data directory. Others are left alone.
const (
	lockName           = "warren.lock"
	definitionsName    = "definitions.log"
	definitionsNewName = "definitions.new" // being written, not yet renamed
	logPrefix          = "messages-"
	logSuffix          = ".log"
)

func (s *Store) path(name string) string { return filepath.Join(s.options.Dir, name) }

func logName(number uint32) string { return fmt.Sprintf("%s%08d%s", logPrefix, number, logSuffix) }

// parseLogName returns the number in the name of a log file.
func parseLogName(name string) (uint32, bool) {
	digits, ok := strings.CutPrefix(name, logPrefix)
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, logSuffix); !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n == 0 || logName(uint32(n)) != name {
		return 0, false
	}
	return uint32(n), true
}
