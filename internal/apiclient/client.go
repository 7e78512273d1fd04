// Package apiclient asks a broker over RabbitMQ's management API: over the control socket of a
// data directory, or by a URL.
//
// It stands beside the tower: it sees a broker, any broker, only through the API, and imports
// nothing of ours. Every command line is a client of it, so a list or a change is done once.
//
//	client, err := apiclient.New(apiclient.Options{URL: "http://localhost:15672", User: "guest"})
//	var queues []apiclient.Object
//	err = client.Get(ctx, apiclient.Path("queues", "/"), &queues)
//
// Paths are those of the API without "/api". Numbers in values of no type are json.Number, so
// that what is printed is what was sent.
package apiclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// DefaultTimeout is how long an answer may take when Options names no other time.
	DefaultTimeout = time.Minute

	// answerMax is the longest answer that is decoded, in bytes; Stream has no limit.
	answerMax = 1 << 30

	idleConnections = 4
)

// Object is a JSON object of the API.
type Object = map[string]any

// Options say where the API is and who asks.
type Options struct {
	// URL is where the API is, such as http://localhost:15672; a path in it comes before /api.
	// Its user and password are taken when User is empty. Empty means that Dial leads there.
	URL string
	// User and Password log in; no user means no login, as on the control socket.
	User, Password string
	// TLS is used with https. Nil trusts the system's authorities.
	TLS *tls.Config
	// Dial opens the connections, whatever the URL; nil dials the host of the URL.
	Dial func(ctx context.Context) (net.Conn, error)
	// Timeout is how long an answer may take, its body included, except that of Stream. Zero
	// means DefaultTimeout, less than zero for ever.
	Timeout time.Duration
}

// Client asks one broker. It may be used concurrently. Close it when done.
type Client struct {
	base           string // without "/api"
	user, password string
	timeout        time.Duration
	http           *http.Client
	transport      *http.Transport
	overSocket     bool
}

// New returns a client; it does not connect yet.
func New(o Options) (*Client, error) {
	if o.URL == "" && o.Dial == nil {
		return nil, errors.New("neither the URL nor the socket of a node is known")
	}
	c := &Client{
		user: o.User, password: o.Password, timeout: o.Timeout, overSocket: o.URL == "",
		base: "http://localhost",
	}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	if o.URL != "" {
		if err := c.locate(o.URL); err != nil {
			return nil, err
		}
	}
	c.transport = &http.Transport{
		TLSClientConfig: o.TLS, MaxIdleConnsPerHost: idleConnections,
		Proxy: http.ProxyFromEnvironment, DisableCompression: o.Dial != nil,
	}
	if o.Dial != nil {
		c.transport.Proxy = nil
		c.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return o.Dial(ctx)
		}
	}
	c.http = &http.Client{
		Transport: c.transport,
		// A login must not follow to wherever an answer points.
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return c, nil
}

// locate takes the URL of the API apart.
func (c *Client) locate(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		var wrong *url.Error
		if errors.As(err, &wrong) {
			err = wrong.Err // the text may hold a password
		}
		return fmt.Errorf("the URL of the API: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("the URL of the API is http://HOST:PORT or https://HOST:PORT, not %s",
			u.Redacted())
	}
	if u.User != nil && c.user == "" {
		c.user = u.User.Username()
		c.password, _ = u.User.Password()
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	c.base = strings.TrimSuffix(strings.TrimSuffix(u.String(), "/"), "/api")
	return nil
}

// Close gives idle connections back.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// URL is where the API is, without a login; of a socket it is "http://localhost".
func (c *Client) URL() string { return c.base }

// Login is the user and the password of the client, empty over a socket.
func (c *Client) Login() (user, password string) { return c.user, c.password }

// OverSocket reports whether the client goes over a control socket, where the caller is the
// operator.
func (c *Client) OverSocket() bool { return c.overSocket }

// Get asks for path and decodes the answer into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.Do(ctx, Request{Method: http.MethodGet, Path: path}, out)
}

// Put makes or changes what path names. In is encoded as JSON; nil sends nothing.
func (c *Client) Put(ctx context.Context, path string, in any) error {
	return c.Do(ctx, Request{Method: http.MethodPut, Path: path, Body: in}, nil)
}

// Post sends in to path and decodes the answer into out, which may be nil.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	return c.Do(ctx, Request{Method: http.MethodPost, Path: path, Body: in}, out)
}

// Delete takes away what path names.
func (c *Client) Delete(ctx context.Context, path string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: path}, nil)
}

// Request is a question with everything it may have.
type Request struct {
	// Method is one of HTTP.
	Method string
	// Path begins with "/" and may have a query; Path and WithQuery put it together.
	Path string
	// Header is added to what every request has.
	Header http.Header
	// Body is sent as JSON, except an io.Reader, which is sent as it is. Nil sends nothing.
	Body any
}

// Do asks and decodes the answer into out: a *[]byte gets the bytes as they came, nil drops
// them. An answer that is not a success is an *Error; when the broker cannot be reached, the
// error is an *UnreachableError.
func (c *Client) Do(ctx context.Context, r Request, out any) error {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	body, err := c.Stream(ctx, r)
	if err != nil {
		return err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, answerMax+1))
	if err != nil {
		return fmt.Errorf("%s %s: the answer breaks off: %w", r.Method, r.Path, err)
	}
	if len(content) > answerMax {
		return fmt.Errorf("%s %s: the answer exceeds %d bytes", r.Method, r.Path, answerMax)
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = content
		return nil
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return nil
	}
	return decode(r, content, out)
}

func decode(r Request, content []byte, out any) error {
	in := json.NewDecoder(bytes.NewReader(content))
	in.UseNumber()
	if err := in.Decode(out); err != nil {
		return fmt.Errorf("%s %s: the answer is not what is expected: %w", r.Method, r.Path, err)
	}
	return nil
}

// Stream asks and returns the body of a success, which the caller closes. No time limit but
// that of ctx holds.
func (c *Client) Stream(ctx context.Context, r Request) (io.ReadCloser, error) {
	request, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		var wrong *url.Error
		if errors.As(err, &wrong) {
			err = wrong.Err
		}
		where := c.base
		if c.overSocket {
			where = ""
		}
		return nil, &UnreachableError{URL: where, Err: err}
	}
	if response.StatusCode >= http.StatusOK && response.StatusCode < http.StatusMultipleChoices {
		return response.Body, nil
	}
	defer response.Body.Close()
	return nil, newError(r, response)
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	if !strings.HasPrefix(r.Path, "/") {
		return nil, fmt.Errorf("%s %s: a path begins with a slash", r.Method, r.Path)
	}
	var body io.Reader
	switch in := r.Body.(type) {
	case nil:
	case io.Reader:
		body = in
	default:
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, c.base+"/api"+r.Path, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	for name, values := range r.Header {
		request.Header[name] = values
	}
	// RabbitMQ refuses changes of limits to whom nothing but JSON is acceptable.
	request.Header.Set("Accept", "application/json, */*;q=0.1")
	if body != nil && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.user != "" {
		request.SetBasicAuth(c.user, c.password)
	}
	return request, nil
}
