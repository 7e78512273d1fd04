package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/backup"
	"github.com/warrenmq/warren/internal/disk"
)

func newBackupCommand() *cobra.Command {
	s := &session{}
	verify, rate := false, 0.0
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything a node keeps to a file, while it serves",
		Long: "Write the definitions and all persistent messages of durable queues to FILE,\n" +
			"or to the standard output as \"-\". The node goes on. FILE appears, or is\n" +
			"replaced, when the backup is complete and has been verified.",
		Args: exactArgs(1),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if rate < 0 {
			return usageError("--rate is a number of MiB per second, or 0")
		}
		if verify {
			return s.verifyBackup(c, args[0])
		}
		return s.run(func(
			ctx context.Context, c *cobra.Command, api *apiclient.Client, args []string,
		) error {
			return s.backup(ctx, c, api, args[0], rate)
		})(c, args)
	}
	s.flags(c)
	c.Flags().Float64Var(&rate, "rate", 0,
		"most `MiB` per second, to leave the disk to the node; 0: no limit")
	c.Flags().BoolVar(&verify, "verify", false,
		"read the backup in FILE, ask no node, and say what is in it")
	return c
}

// backup asks the node of a session for a backup.
func (s *session) backup(
	ctx context.Context, c *cobra.Command, api *apiclient.Client, name string, rate float64,
) error {
	toOutput := name == "-"
	if toOutput && isTerminal(c.OutOrStdout()) {
		return usageError("a backup is nothing for a terminal; name a FILE")
	}
	body, err := api.Stream(ctx, apiclient.Request{
		Method: http.MethodGet, Path: "/warren/backup",
	})
	if err != nil {
		return err
	}
	defer body.Close()
	from := io.Reader(body)
	if rate > 0 {
		from = &paced{stop: ctx.Done(), from: body, rate: int64(rate * miB), start: time.Now()}
	}
	if toOutput {
		_, err := verified(c, io.TeeReader(from, c.OutOrStdout()))
		return asBrokenOff(err)
	}
	contents, err := s.writeBackup(c, from, name)
	if err != nil {
		return asBrokenOff(err)
	}
	return s.sayBackup(c, contents, "is in "+name, nil)
}

// asBrokenOff gives a node that ended amid a backup the exit code of one that is not there.
func asBrokenOff(err error) error {
	if errors.Is(err, backup.ErrIncomplete) {
		return &exitError{exitUnavailable, err}
	}
	return err
}

// writeBackup writes a backup beside its name, which it gets when it is safe.
func (s *session) writeBackup(
	c *cobra.Command, from io.Reader, name string,
) (contents *backup.Contents, err error) {
	dir := filepath.Dir(name)
	file, err := os.CreateTemp(dir, filepath.Base(name)+".*.part")
	if err != nil {
		return nil, err
	}
	contents, err = verified(c, io.TeeReader(from, &synced{file: file}))
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(file.Name()))
	}
	return contents, disk.OS().SyncDir(dir)
}

// syncBytes are written at most before they are synced: what piles up in the kernel would have the
// syncs of a node on the same disk wait for all of it.
const syncBytes = 8 << 20

// synced is a file that is synced now and then.
type synced struct {
	file  *os.File
	dirty int
}

func (w *synced) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if w.dirty += n; err == nil && w.dirty >= syncBytes {
		w.dirty = 0
		err = w.file.Sync()
	}
	return n, err
}

// miB is the unit of --rate.
const miB = 1 << 20

// paceMost is the longest time that a reader waits at once: less than a node is patient.
const paceMost = time.Second

// paced reads so many bytes per second.
type paced struct {
	stop  <-chan struct{} // ends the waiting
	from  io.Reader
	rate  int64
	start time.Time
	done  int64
}

func (r *paced) Read(p []byte) (int, error) {
	n, err := r.from.Read(p[:min(int64(len(p)), max(r.rate/int64(time.Second/paceMost), 1))])
	r.done += int64(n)
	due := time.Duration(float64(r.done) / float64(r.rate) * float64(time.Second))
	if wait := due - time.Since(r.start); wait > 0 && err == nil {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.stop:
			err = context.Canceled
		}
	}
	return n, err
}

// verified reads a backup to its end, and shows how far it is.
func verified(c *cobra.Command, from io.Reader) (*backup.Contents, error) {
	b := newBar(c.ErrOrStderr())
	defer b.end()
	return asData(backup.Verify(from, b.bytes("backup")))
}

// bytes shows the progress of bytes, in KiB.
func (b *bar) bytes(step string) backup.Progress {
	return func(done, total int64) {
		b.set(step+" (KiB)", uint64(done)>>10, uint64(total)>>10)
	}
}

// asData gives what is wrong with a backup the exit code for it.
func asData(contents *backup.Contents, err error) (*backup.Contents, error) {
	if errors.Is(err, backup.ErrDamaged) || errors.Is(err, backup.ErrIncomplete) {
		err = &exitError{exitData, err}
	}
	return contents, err
}

func (s *session) verifyBackup(c *cobra.Command, name string) error {
	from := c.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close() // read only: nothing to lose
		from = file
	}
	contents, err := verified(c, from)
	if err != nil {
		return err
	}
	return s.sayBackup(c, contents, "is complete", nil)
}

// sayBackup says what is in a backup, and what became of it.
func (s *session) sayBackup(
	c *cobra.Command, contents *backup.Contents, what string, more object,
) error {
	if s.json {
		o := object{
			"warren": contents.Warren, "node": contents.Node, "created": contents.Created,
			"format": contents.Format, "data_format": contents.Data,
			"files": len(contents.Files), "bytes": contents.Bytes(),
		}
		for key, value := range more {
			o[key] = value
		}
		return writeJSON(c.OutOrStdout(), o)
	}
	s.say(c, "The backup of %s, made by warren %s at %s, %s: %s, %s.", contents.Node,
		contents.Warren, contents.Created.Local().Format(time.DateTime), what,
		counted(len(contents.Files), "file"), size(object{"n": int(contents.Bytes())}, "n"))
	return nil
}

func newRestoreCommand() *cobra.Command {
	s := &session{}
	var dir string
	force := false
	c := &cobra.Command{
		Use:   "restore FILE --data DIR",
		Short: "Make a data directory of a backup",
		Long: "Make a data directory of what warren backup wrote, while no node runs on it. All\n" +
			"checksums are looked at before anything is written. DIR must be empty, or not there.",
		Args: exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if dir == "" {
				return usageError("which data directory? Name it by --data")
			}
			return s.restore(c, args[0], backup.RestoreOptions{Dir: dir, Force: force})
		},
	}
	flags := c.Flags()
	flags.StringVar(&dir, "data", "", "data `DIRECTORY` that is made")
	flags.BoolVar(&force, "force", false,
		"replace what a node has kept in DIRECTORY; not while one runs")
	flags.BoolVar(&s.json, "json", false, "print JSON, for programs")
	return c
}

func (s *session) restore(c *cobra.Command, name string, o backup.RestoreOptions) error {
	if nodeRuns(c.Context(), o.Dir) {
		return &exitError{exitData, fmt.Errorf("a node runs on %s", o.Dir)}
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close() // read only: nothing to lose
	b := newBar(c.ErrOrStderr())
	defer b.end()
	o.Progress = b.bytes("restore")
	contents, survey, err := backup.Restore(o, file)
	if err != nil {
		_, err = asData(nil, err)
		return err
	}
	b.end()
	err = s.sayBackup(c, contents, "is in "+o.Dir, object{
		"definitions": survey.Definitions, "queues_with_messages": survey.Queues,
		"messages": survey.Messages, "quarantined": survey.Quarantined,
	})
	if err != nil {
		return err
	}
	s.say(c, "It has %s of definitions, and %s in %s.",
		counted(survey.Definitions, "record"), counted(survey.Messages, "message"),
		counted(survey.Queues, "queue"))
	if survey.Quarantined > 0 {
		s.say(c, "Quarantined, as before: %s.", counted(survey.Quarantined, "queue"))
	}
	return nil
}
