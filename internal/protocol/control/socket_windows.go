package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/Microsoft/go-winio"
)

// Exists reports whether a node runs on dir: there is a pipe of its name.
func Exists(dir string) bool {
	name, err := pipeName(dir)
	if err != nil {
		return false
	}
	_, err = os.Stat(name)
	return err == nil
}

// pipeName derives the pipe's name from the directory, which names the node.
func pipeName(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.ToLower(absolute)))
	return `\\.\pipe\warren-` + hex.EncodeToString(sum[:8]), nil
}

// ownerOnly lets the owner and administrators open the pipe, and nobody else.
const ownerOnly = "D:P(A;;GA;;;OW)(A;;GA;;;BA)"

func listen(dir string) (net.Listener, error) {
	name, err := pipeName(dir)
	if err != nil {
		return nil, err
	}
	return winio.ListenPipe(name, &winio.PipeConfig{SecurityDescriptor: ownerOnly})
}

func dial(ctx context.Context, dir string) (net.Conn, error) {
	name, err := pipeName(dir)
	if err != nil {
		return nil, err
	}
	return winio.DialPipeContext(ctx, name)
}
