package egress

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Hooks follow a request to the wire. Each may be nil. They are called once at most,
// in this order, and before Send returns.
type Hooks struct {
	// Before is called when a connection is open and nothing of the request is written.
	// An error keeps it from being written; Send then fails with that error as the Err of
	// a *providerplugin.RelayError that is not Written.
	Before func() error
	// Written is called when the request is about to be written: from here on the
	// service may have it.
	Written func()
}

func (s *Sender) roundTrip(ctx context.Context, over *http.Transport, u *url.URL, req *providerplugin.HTTPRequest, hooks Hooks) (*providerplugin.HTTPResponse, error) {
	g := &guard{hooks: hooks}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { g.watch(info.Conn) }})
	// A body that is neither nil nor rewindable keeps net/http from sending a request, a
	// GET too, a second time.
	out, err := http.NewRequestWithContext(ctx, req.Method, u.String(), io.NopCloser(bytes.NewReader(req.Body)))
	if err != nil {
		return nil, &providerplugin.RelayError{Refused: true, Message: "the plugin asked for a request that cannot be sent"}
	}
	out.ContentLength = int64(len(req.Body))
	for name, values := range req.Header {
		if !hopByHop(name) {
			out.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if ua := out.Header.Get("User-Agent"); ua == "" || strings.HasPrefix(ua, "Go-http-client") {
		out.Header.Set("User-Agent", s.userAgent)
	}
	reply, err := over.RoundTrip(out)
	if err != nil {
		written, refused := g.end()
		if refused != nil {
			return nil, &providerplugin.RelayError{Message: refused.Error(), Err: refused}
		}
		return nil, failed(u, written, err)
	}
	defer func() { _, _ = g.end() }()
	defer func() { _ = reply.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(reply.Body, req.ReplyLimit()+1))
	if err != nil {
		return nil, failed(u, true, err)
	}
	if int64(len(data)) > req.ReplyLimit() {
		return nil, &providerplugin.RelayError{Written: true, Message: fmt.Sprintf("%s answered with more than %d KiB", u.Host, req.ReplyLimit()>>10)}
	}
	crashpoint.At(crashpoint.ReplyReceived)
	reply.Header.Del("Set-Cookie")
	return &providerplugin.HTTPResponse{Status: reply.StatusCode, Header: reply.Header, Body: data}, nil
}
