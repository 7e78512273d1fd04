package crashtest

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refusal starts the real program on a copy of the shelf that was changed, and returns what it
// says. Put back what was changed, and everything must be there.
func refusal(t *testing.T, s *shelf, name string, change func([]byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := s.copyTo(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeSparse(path, change(append([]byte(nil), before...))); err != nil {
		t.Fatal(err)
	}
	p, err := serve(warrenProgram(t, ""), dir)
	if err == nil {
		_ = p.kill()
		t.Fatalf("the node starts on a directory with another %s", name)
	}
	if err := writeSparse(path, before); err != nil {
		t.Fatal(err)
	}
	if result, err := s.open(dir); err != nil || result != harmless {
		t.Errorf("after the refusal: outcome %d, %v", result, err)
	}
	return err.Error()
}

func TestADirectoryOfANewerWarrenIsRefusedAndKept(t *testing.T) {
	s := fillShelf(t, rand.New(rand.NewPCG(seedOf(t), 5)))
	said := refusal(t, s, "definitions.log", func(b []byte) []byte {
		// The header's shape is that of all versions: the version at 8, at 60 the checksum.
		binary.LittleEndian.PutUint32(b[8:], 99)
		binary.LittleEndian.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli))
		return b
	})
	if !strings.Contains(said, "definitions.log") || !strings.Contains(said, "newer") {
		t.Errorf("the refusal does not say why: %s", said)
	}
}

func TestAFileOfAnotherNodeIsRefusedAndNothingIsLost(t *testing.T) {
	random := rand.New(rand.NewPCG(seedOf(t), 6))
	s, other := fillShelf(t, random), fillShelf(t, random)
	names, err := s.files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		foreign, err := os.ReadFile(filepath.Join(other.dir, name))
		if err != nil {
			continue // that node has no such file
		}
		t.Run(name, func(t *testing.T) {
			said := refusal(t, s, name, func([]byte) []byte { return foreign })
			if !strings.Contains(said, ".log") && !strings.Contains(said, ".seg") {
				t.Errorf("the refusal names no file: %s", said)
			}
		})
	}
}
