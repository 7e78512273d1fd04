package crashtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// volume is an ext4 file system on a loop device.
type volume struct {
	loop string // the device
	dir  string // where it is mounted
}

func run(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// makeImage makes a file with an empty ext4.
func makeImage(path string, size int64) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(path, size); err != nil {
		return err
	}
	_, err := run("mkfs.ext4", "-q", "-F", "-m", "0",
		"-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", path)
	return err
}

// mountImage mounts an image; a journal that was not ended cleanly is replayed.
func mountImage(image, dir string) (*volume, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	loop, err := run("losetup", "--find", "--show", image)
	if err != nil {
		return nil, err
	}
	if err := unix.Mount(loop, dir, "ext4", unix.MS_NOATIME, "commit=1"); err != nil {
		_, detachErr := run("losetup", "--detach", loop)
		return nil, errors.Join(fmt.Errorf("mount %s: %w", loop, err), detachErr)
	}
	return &volume{loop, dir}, nil
}

// data is the data directory in the volume.
func (v *volume) data() string { return filepath.Join(v.dir, "data") }

// close unmounts; nobody may use files of it any more.
func (v *volume) close() error {
	err := unix.Unmount(v.dir, 0)
	if err != nil {
		err = errors.Join(fmt.Errorf("unmount %s: %w", v.dir, err),
			unix.Unmount(v.dir, unix.MNT_DETACH))
	}
	_, detachErr := run("losetup", "--detach", v.loop)
	return errors.Join(err, detachErr)
}
