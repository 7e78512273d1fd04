package management

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestABackupIsStreamedAndBrokenOffVisibly(t *testing.T) {
	var give func(w io.Writer) error
	h := open(t, func(o *Options) {
		o.Controls.Backup = func(_ context.Context, w io.Writer) error { return give(w) }
	})
	h.user("watcher", true, "monitoring")
	const path = "/api/warren/backup"
	if a := h.ask("watcher", "GET", path, ""); a.status != http.StatusUnauthorized {
		t.Errorf("somebody with the tag monitoring is told %d", a.status)
	}
	give = func(w io.Writer) error {
		_, err := io.WriteString(w, "everything")
		return err
	}
	a := h.ask("guest", "GET", path, "")
	if a.status != http.StatusOK || a.body != "everything" ||
		a.header.Get("Content-Type") != "application/x-tar" {
		t.Errorf("it answers %+v", a)
	}
	give = func(io.Writer) error { return errors.New("another is being made") }
	a = h.ask("guest", "GET", path, "")
	if a.status != http.StatusConflict || !strings.Contains(a.body, "another is being made") {
		t.Errorf("it answers %+v", a)
	}
	if a := h.ask("guest", "HEAD", path, ""); a.status != http.StatusOK || a.body != "" {
		t.Errorf("HEAD is answered %+v", a)
	}
	give = func(w io.Writer) error {
		_, err := w.Write(make([]byte, 100<<10))
		return errors.Join(err, errors.New("the disk broke"))
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("guest", "guest")
	response, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("what is broken off ends with %v", err)
	}
}
