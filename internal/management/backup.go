package management

import (
	"net/http"
	"time"
)

// backupPatience is how long a client may take nothing of a backup, before it is broken off: the
// node keeps what is being copied until then.
const backupPatience = time.Minute

// getBackup sends a backup. What goes wrong at its beginning is an answer like others; later the
// connection is broken, and what has come is refused by whoever reads it.
func getBackup(q *request) error {
	backup := q.h.o.Controls.Backup
	if backup == nil {
		return notThere()
	}
	w := &backupWriter{to: q.w, control: http.NewResponseController(q.w)}
	if q.Method == http.MethodHead {
		w.begin()
		return nil
	}
	// Where there are no deadlines, nobody waits for a network either.
	_ = w.control.SetReadDeadline(time.Time{}) // else the end of the request's ends the backup
	err := backup(q.Context(), w)
	switch {
	case err == nil:
		return nil
	case !w.begun:
		return &failure{status: http.StatusConflict, kind: "conflict", reason: err.Error()}
	}
	q.h.o.Logger.Warn("a backup was broken off", "error", err)
	panic(http.ErrAbortHandler) // there is no other way to tell the client
}

// backupWriter begins the answer with the first byte, and waits for no client for ever.
type backupWriter struct {
	to      http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func (w *backupWriter) begin() {
	w.begun = true
	header := w.to.Header()
	header.Set("Content-Type", "application/x-tar")
	header.Set("Content-Disposition", `attachment; filename="warren-backup.tar"`)
	header.Set("Cache-Control", "no-store")
}

func (w *backupWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begin()
	}
	_ = w.control.SetWriteDeadline(time.Now().Add(backupPatience))
	return w.to.Write(p)
}
