package channel

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// bodyLimit is far more than any service answers.
const bodyLimit = 256 << 10

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// postJSON posts a body of JSON to a path of the service.
func (c *call) postJSON(ctx context.Context, path string, header http.Header, body any) (answer, *Error) {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	return c.post(ctx, c.base()+path, header, asJSON(body))
}

// postForm posts a form to a path of the service.
func (c *call) postForm(ctx context.Context, path string, header http.Header, form url.Values) (answer, *Error) {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.post(ctx, c.base()+path, header, []byte(form.Encode()))
}

func (c *call) base() string { return strings.TrimRight(c.get("base_url"), "/") }

// post sends one request and reads its answer, whatever its status. The answer of
// a webhook is its status alone.
func (c *call) post(ctx context.Context, address string, header http.Header, body []byte) (answer, *Error) {
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	// A body that cannot be rewound keeps net/http from sending a request a second time.
	req, err := http.NewRequestWithContext(traced, http.MethodPost, address, io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return answer{}, &Error{Permanent: true, Reason: Refused, Code: ProblemInvalid, Said: errURL.Error(), Err: errURL}
	}
	req.ContentLength = int64(len(body))
	req.Header = header
	req.Header.Set("User-Agent", c.userAgent)
	if c.kind != Webhook {
		req.Header.Set("Accept", "application/json")
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return answer{}, c.lost(ctx, err, sent.Load())
	}
	defer resp.Body.Close()
	if c.kind == Webhook {
		return answer{status: resp.StatusCode, header: resp.Header}, nil
	}
	read, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	if err != nil {
		return answer{}, c.lost(ctx, err, true)
	}
	if len(read) > bodyLimit {
		return answer{}, unreadable(resp.StatusCode)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: read}, nil
}

// lost is a missing answer. The error of an ended context is more specific than what it
// broke.
func (c *call) lost(ctx context.Context, err error, sent bool) *Error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return away(err, sent)
}

// unreadable is an answer that is not the service's: a page of a proxy in
// between, half of an answer, or far too much of one. With a status of success the
// service may well have taken the message.
func unreadable(status int) *Error {
	return &Error{Reason: Away, Code: strconv.Itoa(status), Said: errUnreadable.Error(), Maybe: status < 300, Err: errUnreadable}
}

// read unmarshals the answer and reports whether it is JSON of that shape.
func (a answer) read(into any) bool { return json.Unmarshal(a.body, into) == nil }

// ok reports a status of success.
func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// plain makes the failure that the status alone indicates. Services add to it.
func (a answer) plain(now time.Time) *Error {
	e := &Error{Reason: Refused, Permanent: true, Code: strconv.Itoa(a.status), Said: http.StatusText(a.status)}
	switch {
	case a.status >= 300 && a.status < 400:
		e.Said = "the service redirects elsewhere, which is not followed"
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		e.Reason = BadCredential
	case a.status == http.StatusPaymentRequired:
		e.Reason, e.Permanent, e.RetryAfter = NoMoney, false, paying
	case a.status == http.StatusTooManyRequests:
		e.Reason, e.Permanent = RateLimited, false
	case a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly:
		e.Reason, e.Permanent = Away, false
	case a.status >= 500:
		e.Reason, e.Permanent = Away, false
		// A gateway does not know what became of the request behind it.
		e.Maybe = a.status == http.StatusBadGateway || a.status == http.StatusGatewayTimeout
	}
	if !e.Permanent {
		e.RetryAfter = max(e.RetryAfter, retryAfter(a.header, now))
	}
	return e
}

// retryAfter reads the wait that the service requests: seconds or a date (RFC 9110,
// section 10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(header.Get("Retry-After"))
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return seconds(int64(n))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// seconds is a number of seconds as a wait that a service may ask for.
func seconds(n int64) time.Duration {
	return time.Duration(min(max(n, 0), int64(longestWait/time.Second))) * time.Second
}

// loose is a string, a number or nothing in JSON: services write numbers of
// messages and codes of errors either way.
type loose string

// UnmarshalJSON implements json.Unmarshaler. What is neither is left empty.
func (l *loose) UnmarshalJSON(b []byte) error {
	var text string
	var number json.Number
	if json.Unmarshal(b, &text) == nil {
		*l = loose(text)
	} else if json.Unmarshal(b, &number) == nil {
		*l = loose(number)
	}
	return nil
}
