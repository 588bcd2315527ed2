package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// watch records the error_subtype of the reply: Google's addition to RFC 6749, which
// alone distinguishes a policy of the Workspace from an expired token.
type watch struct {
	next    http.RoundTripper
	subtype string
}

// client is c with the watch in front of its transport.
func (w *watch) client(c *http.Client) *http.Client {
	if c == nil || c.Transport == nil {
		return c
	}
	instrumented := *c
	w.next, instrumented.Transport = c.Transport, w
	return &instrumented
}

// RoundTrip implements http.RoundTripper.
func (w *watch) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err != nil || resp.StatusCode < http.StatusBadRequest {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var refusal struct {
		Subtype string `json:"error_subtype"`
	}
	if json.Unmarshal(body, &refusal) == nil {
		w.subtype = refusal.Subtype
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
