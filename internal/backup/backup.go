// Package backup puts a data directory into one stream while its node serves, and makes a data
// directory of such a stream.
//
// Floor 3, above the store: the store says what belongs to a moment (store.Cut), the rest is done
// by its ordinary recovery. A stream is a tar archive:
//
//	backup.json   what it is, and the files that follow, with their sizes
//	...           the files, as they are in the data directory, journals first
//	end.json      the checksums of all before
//
// What breaks off has no end, and is refused.
package backup

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/warrenmq/warren/internal/store"
)

const (
	beginName = "backup.json"
	endName   = "end.json"

	// format is the version of the stream; that of the files is Contents.Data.
	format = 1
	// copyBytes are read and written at once.
	copyBytes = 256 << 10
	// entryMax is the largest backup.json and end.json that is read, of a million files or so.
	entryMax = 64 << 20

	permission = 0o600
)

// Contents say what a backup is.
type Contents struct {
	// Format is the version of the stream, Data that of the files of the store.
	Format int `json:"format"`
	Data   int `json:"data_format"`
	// Warren is the version that made it, Node the name of the node.
	Warren string `json:"warren"`
	Node   string `json:"node"`
	// Created is the moment whose data it is, nearly: the cut was made just before.
	Created time.Time `json:"created"`
	Files   []File    `json:"files"`
}

// File is a file in a backup.
type File struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // bytes
}

// Bytes is the size of all files together.
func (c *Contents) Bytes() (sum int64) {
	for _, f := range c.Files {
		sum += f.Size
	}
	return sum
}

// ending is end.json: CRC-32C of backup.json, and of each file in its order.
type ending struct {
	Begin uint32   `json:"begin_crc32c"`
	Files []uint32 `json:"files_crc32c"`
}

// About is what a backup says of the node it is of.
type About struct{ Warren, Node string }

func sum(b []byte) uint32 { return crc32.Checksum(b, castagnoli()) }

// castagnoli is made once, by crc32.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Write writes a backup of what is on stable storage now: everything that was confirmed before the
// call, unless its settlement is too, and all definitions. The store goes on; it keeps what is
// being copied until Write returns. It takes little memory. What has been written when there is an
// error is refused by Verify. The error is store.ErrCutting while another is made; nothing has been
// written then.
func Write(ctx context.Context, w io.Writer, s *store.Store, about About) error {
	cut, err := s.Cut(ctx)
	if err != nil {
		return err
	}
	defer cut.Close()
	c := Contents{Format: format, Data: store.FormatVersion, Warren: about.Warren,
		Node: about.Node, Created: time.Now().UTC().Truncate(time.Millisecond)}
	for _, f := range cut.Files() {
		c.Files = append(c.Files, File{f.Name, f.Size})
	}
	out := &writer{tar: tar.NewWriter(w), created: c.Created}
	begin, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	if err := out.entry(beginName, begin); err != nil {
		return err
	}
	end := ending{Begin: sum(begin)}
	buf := make([]byte, copyBytes)
	for _, f := range cut.Files() {
		crc, err := out.copy(ctx, f, buf)
		if err != nil {
			return fmt.Errorf("backup: %s: %w", f.Name, err)
		}
		end.Files = append(end.Files, crc)
	}
	last, err := json.Marshal(end)
	if err != nil {
		return err
	}
	if err := out.entry(endName, last); err != nil {
		return err
	}
	return out.tar.Close()
}

// writer writes the entries of an archive.
type writer struct {
	tar     *tar.Writer
	created time.Time
}

func (w *writer) header(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{
		Name: name, Size: size, Mode: permission, ModTime: w.created, Typeflag: tar.TypeReg,
	})
}

func (w *writer) entry(name string, content []byte) error {
	if err := w.header(name, int64(len(content))); err != nil {
		return err
	}
	_, err := w.tar.Write(content)
	return err
}

// copy writes a file and returns its checksum.
func (w *writer) copy(ctx context.Context, f *store.CutFile, buf []byte) (uint32, error) {
	if err := w.header(f.Name, f.Size); err != nil {
		return 0, err
	}
	crc := uint32(0)
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := f.Read(buf)
		if errors.Is(err, io.EOF) {
			return crc, nil
		}
		if err != nil {
			return 0, err
		}
		crc = crc32.Update(crc, castagnoli(), buf[:n])
		if _, err := w.tar.Write(buf[:n]); err != nil {
			return 0, err
		}
	}
}
