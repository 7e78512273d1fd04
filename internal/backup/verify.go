package backup

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/warrenmq/warren/internal/store"
)

// ErrDamaged is in the error of a backup that is not as it was written.
var ErrDamaged = errors.New("the backup is damaged")

// ErrIncomplete is in the error of a backup that breaks off.
var ErrIncomplete = errors.New("the backup is not complete")

// Progress is told how many bytes of files there were, and are in all.
type Progress func(done, total int64)

// Verify reads a backup to its end and says what is in it. The error is ErrDamaged, ErrIncomplete,
// that of r, or says that a newer warren made it. Progress may be nil.
func Verify(r io.Reader, progress Progress) (*Contents, error) {
	return walk(r, progress, func(File, io.Reader) error { return nil })
}

// walk reads a backup and calls each with its files. What each reads is not known to be right
// before walk returns.
func walk(r io.Reader, progress Progress, each func(f File, r io.Reader) error) (*Contents, error) {
	in := &reader{tar: tar.NewReader(r), progress: progress}
	begin, err := in.entry(beginName)
	if err != nil {
		return nil, err
	}
	c := new(Contents)
	if err := c.parse(begin); err != nil {
		return nil, err
	}
	in.total = c.Bytes()
	end := ending{Begin: sum(begin)}
	for _, f := range c.Files {
		crc, err := in.file(f, each)
		if err != nil {
			return nil, err
		}
		end.Files = append(end.Files, crc)
	}
	last, err := in.entry(endName)
	if err != nil {
		return nil, err
	}
	var said ending
	strict := json.NewDecoder(bytes.NewReader(last))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&said); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, endName, err)
	}
	if err := end.compare(said, c); err != nil {
		return nil, err
	}
	if _, err := in.tar.Next(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: there is something behind its end", ErrDamaged)
	}
	if n, err := io.Copy(io.Discard, r); n > 0 || err != nil {
		return nil, fmt.Errorf("%w: there is something behind its end", ErrDamaged)
	}
	return c, nil
}

// parse reads backup.json. It refuses what a newer warren made, and names that are none of a data
// directory.
func (c *Contents) parse(b []byte) error {
	if err := json.Unmarshal(b, c); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, beginName, err)
	}
	if c.Format > format || c.Data > store.FormatVersion {
		return fmt.Errorf("the backup was made by a newer warren, %s: it has format %d of files "+
			"in format %d, and this one reads %d and %d", c.Warren, c.Format, c.Data, format,
			store.FormatVersion)
	}
	names := make(map[string]bool, len(c.Files))
	for _, f := range c.Files {
		if !store.IsCopied(f.Name) || f.Size < 0 || names[f.Name] {
			return fmt.Errorf("%w: %s lists %q", ErrDamaged, beginName, f.Name)
		}
		names[f.Name] = true
	}
	return nil
}

// compare says which checksum is wrong.
func (e *ending) compare(said ending, c *Contents) error {
	if e.Begin != said.Begin || len(e.Files) != len(said.Files) {
		return fmt.Errorf("%w: %s has a wrong checksum", ErrDamaged, beginName)
	}
	for i, crc := range e.Files {
		if crc != said.Files[i] {
			return fmt.Errorf("%w: %s has a wrong checksum", ErrDamaged, c.Files[i].Name)
		}
	}
	return nil
}

// reader reads the entries of an archive.
type reader struct {
	tar         *tar.Reader
	progress    Progress
	done, total int64
}

// next goes to an entry, which has to have that name.
func (in *reader) next(name string) (int64, error) {
	h, err := in.tar.Next()
	if err != nil {
		return 0, in.broken(name, err)
	}
	if h.Name != name || h.Typeflag != tar.TypeReg {
		if name == beginName {
			return 0, errors.New("this is no backup of warren")
		}
		return 0, fmt.Errorf("%w: %q stands where %s is expected", ErrDamaged, h.Name, name)
	}
	return h.Size, nil
}

// broken says what it means that something cannot be read.
func (in *reader) broken(name string, err error) error {
	switch {
	case errors.Is(err, io.EOF) && in.total == 0 && name == beginName:
		return fmt.Errorf("%w: it is empty", ErrIncomplete)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it breaks off at %s", ErrIncomplete, name)
	case errors.Is(err, tar.ErrHeader) && name == beginName:
		return errors.New("this is no backup of warren")
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("%w: the archive cannot be read at %s", ErrDamaged, name)
	}
	return fmt.Errorf("read the backup at %s: %w", name, err)
}

// entry returns all of an entry.
func (in *reader) entry(name string) ([]byte, error) {
	size, err := in.next(name)
	if err != nil {
		return nil, err
	}
	if size > entryMax {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrDamaged, name, size)
	}
	b, err := io.ReadAll(in.tar)
	if err != nil {
		return nil, in.broken(name, err)
	}
	return b, nil
}

// file reads a file, has each read it, and returns its checksum.
func (in *reader) file(f File, each func(f File, r io.Reader) error) (uint32, error) {
	size, err := in.next(f.Name)
	if err != nil {
		return 0, err
	}
	if size != f.Size {
		return 0, fmt.Errorf("%w: %s has %d bytes, and not %d", ErrDamaged, f.Name, size, f.Size)
	}
	summed := &summing{in: in, name: f.Name}
	if err := each(f, summed); err != nil {
		return 0, err
	}
	buf := make([]byte, copyBytes)
	for {
		if _, err := summed.Read(buf); errors.Is(err, io.EOF) {
			return summed.crc, nil
		} else if err != nil {
			return 0, err
		}
	}
}

// summing reads an entry and sums it up.
type summing struct {
	in   *reader
	name string
	crc  uint32
}

func (s *summing) Read(p []byte) (int, error) {
	n, err := s.in.tar.Read(p)
	s.crc = crc32.Update(s.crc, castagnoli(), p[:n])
	s.in.done += int64(n)
	if s.in.progress != nil && n > 0 {
		s.in.progress(s.in.done, s.in.total)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.in.broken(s.name, err)
	}
	return n, err
}

// Has reports whether a file of that name is in the backup.
func (c *Contents) Has(name string) bool {
	return slices.ContainsFunc(c.Files, func(f File) bool { return f.Name == name })
}
