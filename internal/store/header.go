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
//	 0       8         12         28       36       44                    60    64
//	┌───────┬─────────┬──────────┬────────┬────────┬─────────────────────┬─────┐
//	│ magic │ version │ dir id   │ number │ base   │ zeros               │ crc │ crc32c of 0..59
//	└───────┴─────────┴──────────┴────────┴────────┴─────────────────────┴─────┘
//
//	file                       number                base
//	log, segment, spill file   that in its name      0
//	definitions, manifest      rewrites so far       bytes of the snapshot it begins with
//
// dir id is random, made with the directory: files of two directories cannot be mixed up. The
// number of a log, segment or spill file is its generation: it is in every checksum, so that what a
// recycled file held before is not taken for what it holds now. In these files the records begin
// at offset dataStart, so that the header has a block of the disk for itself.
const (
	headerBytes   = 64
	dataStart     = 4096
	formatVersion = 2

	definitionsMagic = "WARRENDF"
	manifestMagic    = "WARRENMF"
)

// role is what a numbered file was made for.
type role uint8

const (
	roleLog role = iota
	roleSegment
	roleSpill
	roles
)

func (r role) magic() string  { return [roles]string{"WARRENLG", "WARRENSG", "WARRENSP"}[r] }
func (r role) prefix() string { return [roles]string{"messages-", "segment-", "spill-"}[r] }
func (r role) suffix() string { return [roles]string{".log", ".seg", ".tmp"}[r] }

// errHeader means that the first bytes of a file are no header.
var errHeader = errors.New("no valid file header")

type directoryID [16]byte

func (id directoryID) seed() uint32 { return crc32.Checksum(id[:], castagnoli) }

type header struct {
	id     directoryID
	number uint64
	base   uint64
}

func (h header) append(dst []byte, magic string) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint32(dst, formatVersion)
	dst = append(dst, h.id[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, h.number)
	dst = binary.LittleEndian.AppendUint64(dst, h.base)
	dst = append(dst, make([]byte, 16)...)
	return appendHeaderSum(dst, start)
}

func appendHeaderSum(dst []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// parseHeader returns errHeader if b does not begin with a header, and an error that names the
// version if another format was written.
func parseHeader(b []byte, magic string) (header, error) {
	var h header
	if len(b) < headerBytes || !bytes.HasPrefix(b, []byte(magic)) {
		return h, errHeader
	}
	if binary.LittleEndian.Uint32(b[60:]) != crc32.Checksum(b[:60], castagnoli) {
		return h, errHeader
	}
	switch v := binary.LittleEndian.Uint32(b[8:]); {
	case v > formatVersion:
		return h, fmt.Errorf("format version %d is newer than this version of warren reads (%d): "+
			"start the newer warren that wrote it", v, formatVersion)
	case v < formatVersion:
		return h, fmt.Errorf("format version %d is older than this version of warren reads (%d): "+
			"drain it with the older warren that wrote it", v, formatVersion)
	}
	copy(h.id[:], b[12:])
	h.number = binary.LittleEndian.Uint64(b[28:])
	h.base = binary.LittleEndian.Uint64(b[36:])
	return h, nil
}

// The names in a data directory besides those of numbered files. Others are left alone.
const (
	lockName        = "warren.lock"
	definitionsName = "definitions.log"
	manifestName    = "manifest.log"
	reserveName     = "reserve.tmp" // room for settlements and the manifest
	mergeRoomName   = "reserve-merge.tmp"
	newSuffix       = ".new" // being written, not yet renamed
)

func (s *Store) path(name string) string { return filepath.Join(s.options.Dir, name) }

func fileName(r role, number uint32) string {
	return fmt.Sprintf("%s%08d%s", r.prefix(), number, r.suffix())
}

// parseFileName returns the role and number in the name of a numbered file.
func parseFileName(name string) (role, uint32, bool) {
	for r := range roles {
		digits, ok := strings.CutPrefix(name, r.prefix())
		if !ok {
			continue
		}
		if digits, ok = strings.CutSuffix(digits, r.suffix()); !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err == nil && n > 0 && fileName(r, uint32(n)) == name {
			return r, uint32(n), true
		}
	}
	return 0, 0, false
}
