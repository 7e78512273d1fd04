//go:build unix

package control

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestOnlyTheOwnerCanConnect, however open the directory is.
func TestOnlyTheOwnerCanConnect(t *testing.T) {
	for _, mode := range []fs.FileMode{0o700, 0o777} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		s := start(t, dir)
		info, err := os.Stat(filepath.Join(dir, socketName))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 || info.Mode().Type() != fs.ModeSocket {
			t.Errorf("in a directory of mode %v the socket has mode %v", mode, info.Mode())
		}
		if _, err := ask(t, dir, "/v"); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 0 {
			t.Errorf("left in the directory are %v, %v", entries, err)
		}
	}
}

func TestASocketLeftBehindIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, socketName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := start(t, dir)
	defer s.Close()
	if _, err := ask(t, dir, "/v"); err != nil {
		t.Error(err)
	}
}

// TestLongPathsHaveSocketsToo: the system's limit on paths of sockets is about 100 bytes.
func TestLongPathsHaveSocketsToo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux reaches a socket through the descriptor of its directory")
	}
	for _, mode := range []fs.FileMode{0o700, 0o755} {
		dir := filepath.Join(t.TempDir(), strings.Repeat("d", socketPathMax))
		if err := os.Mkdir(dir, mode); err != nil {
			t.Fatal(err)
		}
		s := start(t, dir)
		if _, err := ask(t, dir, "/v"); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
