package crashtest

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The few requests of the FUSE protocol (version 7.31) that a file system of one file gets from
// a loop device. A request is a header of 40 bytes and arguments, an answer one of 16 and a
// result; integers are the machine's.
const (
	fuseLookup      = 1
	fuseForget      = 2
	fuseGetattr     = 3
	fuseSetattr     = 4
	fuseOpen        = 14
	fuseRead        = 15
	fuseWrite       = 16
	fuseStatfs      = 17
	fuseRelease     = 18
	fuseFsync       = 20
	fuseFlush       = 25
	fuseInit        = 26
	fuseInterrupt   = 36
	fuseBatchForget = 42

	fuseHeaderBytes = 40
	fuseAttrBytes   = 88
	fuseWriteMax    = 1 << 20
	fusePageMax     = fuseWriteMax / 4096
	// The arguments of a write, before its data.
	fuseWriteArgs = 40
	// Flags of the answer to init: large writes, and as many pages as are said.
	fuseBigWrites = 1 << 5
	fuseMaxPages  = 1 << 22

	fuseRoot = 1 // the node of the folder; that of the file is 2
	fuseDisk = 2
	// fuseValid seconds the kernel may remember what it was told.
	fuseValid = 3600
)

// serve answers requests until the file system is unmounted.
func (d *volatile) serve() {
	defer close(d.ended)
	buf := make([]byte, fuseWriteMax+(64<<10))
	for {
		n, err := unix.Read(d.fuse, buf)
		switch err {
		case nil:
		case unix.EINTR, unix.EAGAIN, unix.ENOENT:
			continue
		default: // ENODEV: unmounted
			return
		}
		request := buf[:n]
		opcode := binary.NativeEndian.Uint32(request[4:])
		switch opcode {
		case fuseForget, fuseBatchForget, fuseInterrupt:
			continue // these get no answer
		}
		body, errno := d.answer(opcode, binary.NativeEndian.Uint64(request[16:]),
			request[fuseHeaderBytes:])
		answer := binary.NativeEndian.AppendUint32(nil, uint32(16+len(body)))
		answer = binary.NativeEndian.AppendUint32(answer, uint32(-int32(errno)))
		answer = append(answer, request[8:16]...)
		_, _ = unix.Write(d.fuse, append(answer, body...)) // fails when nobody waits any more
	}
}

func (d *volatile) answer(opcode uint32, node uint64, args []byte) ([]byte, unix.Errno) {
	u64 := func(at int) int { return int(binary.NativeEndian.Uint64(args[at:])) }
	u32 := func(at int) int { return int(binary.NativeEndian.Uint32(args[at:])) }
	switch opcode {
	case fuseInit:
		return fuseInitAnswer(), 0
	case fuseLookup:
		if string(args) != diskFile+"\x00" {
			return nil, unix.ENOENT
		}
		b := words64(fuseDisk, 0, fuseValid, fuseValid, 0)
		return append(b, d.attr(fuseDisk)...), 0
	case fuseGetattr, fuseSetattr:
		return append(words64(fuseValid, 0), d.attr(node)...), 0
	case fuseOpen:
		return words64(0, 0), 0
	case fuseRead:
		return d.read(u64(8), u32(16)), 0
	case fuseWrite:
		size := u32(16)
		if err := d.write(u64(8), args[fuseWriteArgs:fuseWriteArgs+size]); err != nil {
			return nil, unix.ENOSPC
		}
		return words64(uint64(size)), 0 // the size is 32 bits and the other 32 are zeros
	case fuseFsync:
		d.flush()
		return nil, 0
	case fuseRelease, fuseFlush:
		return nil, 0
	case fuseStatfs:
		return make([]byte, 80), 0
	}
	return nil, unix.ENOSYS
}

func words64(list ...uint64) (b []byte) {
	for _, v := range list {
		b = binary.NativeEndian.AppendUint64(b, v)
	}
	return b
}

func fuseInitAnswer() []byte {
	b := make([]byte, 64)
	e := binary.NativeEndian
	e.PutUint32(b[0:], 7)
	e.PutUint32(b[4:], 31)
	e.PutUint32(b[8:], 128<<10) // read ahead
	e.PutUint32(b[12:], fuseBigWrites|fuseMaxPages)
	e.PutUint16(b[16:], 16) // requests in the background
	e.PutUint16(b[18:], 12)
	e.PutUint32(b[20:], fuseWriteMax)
	e.PutUint32(b[24:], 1) // granularity of times
	e.PutUint16(b[28:], fusePageMax)
	return b
}

// attr are the attributes of a node.
func (d *volatile) attr(node uint64) []byte {
	b := make([]byte, fuseAttrBytes)
	e := binary.NativeEndian
	e.PutUint64(b[0:], node)
	mode, links := uint32(unix.S_IFDIR|0o700), uint32(2)
	if node == fuseDisk {
		mode, links = unix.S_IFREG|0o600, 1
		e.PutUint64(b[8:], uint64(d.size))
		e.PutUint64(b[16:], uint64(d.size/sectorBytes))
	}
	e.PutUint32(b[60:], mode)
	e.PutUint32(b[64:], links)
	e.PutUint32(b[80:], 4096) // block size
	return b
}
