package endpoint

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Outcome is how a request to an endpoint ended.
type Outcome struct {
	kind  outcomeKind
	cause string
	// retryAfter is the wait that the endpoint requested; zero if none.
	retryAfter time.Duration
	// grant is the grant of the request; "" if that is not known. whose is what the
	// service counts requests by.
	grant string
	whose Counted
}

// Counted is whose requests a service counts when it answers 429.
type Counted string

// The values of Counted, as a provider's description has them.
const (
	CountedUnknown   Counted = ""
	CountedByAccount Counted = "account"
	CountedByClient  Counted = "client"
)

// Of is the outcome of a grant's request, at a service that counts the requests of
// whose when it answers 429.
func (o Outcome) Of(grant string, whose Counted) Outcome {
	o.grant, o.whose = grant, whose
	return o
}

type outcomeKind int

const (
	notSent outcomeKind = iota
	answered
	failed
	// throttled is a 429: the endpoint works, but not for this grant, or for no grant.
	throttled
)

// NotSent is the outcome where no request was made; it changes nothing.
func NotSent() Outcome { return Outcome{} }

// NoReply is the outcome of a request that got no reply: no connection, a
// time-out, a reset. why is for people and holds no secret.
func NoReply(why string) Outcome { return Outcome{kind: failed, cause: why} }

// Answered is the outcome of a reply. A 5xx is a failure of the endpoint; a 429 is one
// grant's, and the endpoint's once several grants have got one. Everything else, also an OAuth error, shows that it works. Retry-After counts on
// 429 and 503. now is when the reply came.
func Answered(status int, header http.Header, now time.Time) Outcome {
	if status != http.StatusTooManyRequests && status < 500 {
		return Outcome{kind: answered}
	}
	o := Outcome{kind: failed, cause: fmt.Sprintf("it answered %d", status)}
	if status == http.StatusTooManyRequests {
		o.kind = throttled
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		o.retryAfter = retryAfter(header, now)
	}
	return o
}

// retryAfter reads seconds or an HTTP date (RFC 9110 section 10.2.3). A date is
// counted from the reply's own Date where there is one: the service's clock need
// not be ours.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(366*24*time.Hour/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return max(0, at.Sub(now))
}
