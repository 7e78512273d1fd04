package warren

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/management"
)

const (
	// importBytesMax bounds a file of definitions.
	importBytesMax = 512 << 20
	// importPatience bounds the time in which definitions are fetched.
	importPatience = time.Minute
	// importedParameter is the global parameter that has what was imported last, as RabbitMQ's.
	importedParameter = "imported_definition_hash_value"
)

// definitions is what one source says.
type definitions struct {
	from string
	text []byte
}

// read returns the definitions of all sources, in the order they are imported in.
func (i *Import) read(ctx context.Context) (all []definitions, err error) {
	for _, path := range i.Paths {
		files, err := definitionFiles(path)
		if err != nil {
			return nil, fmt.Errorf("definitions: %w", err)
		}
		for _, file := range files {
			text, err := readDefinitions(file)
			if err != nil {
				return nil, fmt.Errorf("definitions: %w", err)
			}
			all = append(all, definitions{file, text})
		}
	}
	if i.URL != "" {
		text, err := i.fetch(ctx)
		if err != nil {
			return nil, fmt.Errorf("definitions: %w", err)
		}
		all = append(all, definitions{i.URL, text})
	}
	return all, nil
}

// definitionFiles are the files of a folder by their names, without hidden ones, or path itself.
func definitionFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	entries, err := os.ReadDir(path) // sorted
	var files []string
	for _, e := range entries {
		file := filepath.Join(path, e.Name())
		info, statErr := os.Stat(file) // what a link leads to counts
		if statErr == nil && info.Mode().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, file)
		}
	}
	return files, err
}

func readDefinitions(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limited(path, f)
}

func limited(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, importBytesMax+1))
	if err == nil && len(text) > importBytesMax {
		err = fmt.Errorf("%s has more than %d bytes", name, importBytesMax)
	}
	return text, err
}

// fetch reads definitions from the network.
func (i *Import) fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, importPatience)
	defer cancel()
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if i.CertificateAuthority != "" {
		pem, err := os.ReadFile(i.CertificateAuthority)
		if err != nil {
			return nil, err
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", i.CertificateAuthority)
		}
	}
	transport := &http.Transport{TLSClientConfig: secure, Proxy: http.ProxyFromEnvironment}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.URL, nil)
	if err != nil {
		return nil, err
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", request.URL.Redacted(), answer.Status)
	}
	return limited(request.URL.Redacted(), answer.Body)
}

// haveUsers reports whether one of them declares a user: then the node makes none by itself.
func haveUsers(all []definitions) bool {
	return slices.ContainsFunc(all, func(d definitions) bool {
		var has struct {
			Users []json.RawMessage `json:"users"`
		}
		return json.Unmarshal(bytes.TrimPrefix(d.text, []byte("\uFEFF")), &has) == nil &&
			len(has.Users) > 0
	})
}

// importDefinitions adds what the definitions say to what is there. The error says what is wrong in
// which source.
func (a *application) importDefinitions(ctx context.Context, o *Options, all []definitions) error {
	if len(all) == 0 {
		return nil
	}
	hash := sha256.New()
	for _, d := range all {
		_, _ = hash.Write(d.text) // it never fails
	}
	mark := strconv.Quote(base64.StdEncoding.EncodeToString(hash.Sum(nil))) // as JSON has it
	last, ok := a.broker.GlobalParameter(importedParameter)
	if ok && last.Value == mark && o.Import.SkipUnchanged {
		o.Logger.Info("definitions not imported: they are as they were", "sources", len(all))
		return nil
	}
	api := management.New(management.Options{
		Broker: a.broker, Logger: o.Logger, Version: Version, DisableStats: true,
		BodyMax: importBytesMax,
	})
	defer api.Close()
	for _, d := range all {
		if err := post(ctx, api.Operator(), "/api/definitions", d.text); err != nil {
			return fmt.Errorf("definitions of %s: %w", d.from, err)
		}
		o.Logger.Info("definitions imported", "source", d.from, "bytes", len(d.text))
	}
	return a.remember(mark)
}

// post has the API do something, without a connection.
func post(ctx context.Context, api http.Handler, path string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+path,
		bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	api.ServeHTTP(answer, request)
	if answer.status >= http.StatusMultipleChoices {
		return errors.New(strings.TrimSpace(answer.text.String()))
	}
	return nil
}

// answer is what the API says; long texts are cut.
type answer struct {
	header http.Header
	status int
	text   strings.Builder
}

const answerBytesMax = 4 << 10

// Header returns the header that is going to be answered.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader sets the status.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write takes a part of the body.
func (a *answer) Write(p []byte) (int, error) {
	a.text.Write(p[:min(len(p), answerBytesMax-a.text.Len())])
	return len(p), nil
}

// remember keeps what was imported.
func (a *application) remember(mark string) error {
	_, err := a.broker.PutGlobalParameter(definition.Parameter{
		Name: importedParameter, Value: mark,
	})
	if err != nil {
		return err
	}
	return nil
}
