package channel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"
)

// Reason is why a message was not accepted, as a key that a page has a sentence for.
type Reason string

// The reasons.
const (
	// BadCredential is a key, token or password that the service does not accept, or
	// that may not send.
	BadCredential Reason = "bad_credential"
	// NoMoney is an empty account. It is not permanent: the account can be topped up.
	NoMoney Reason = "no_money"
	// BadRecipient is an address that does not exist or cannot receive this.
	BadRecipient Reason = "bad_recipient"
	// Blocked is a receiver who has refused messages: a blocked bot, an unsubscribed
	// number.
	Blocked Reason = "blocked"
	// BadSender is a sender that the service does not let the account use.
	BadSender Reason = "bad_sender"
	// RateLimited is too much at once.
	RateLimited Reason = "rate_limited"
	// Away is a service that did not answer, or not as itself: network, TLS, 5xx.
	Away Reason = "away"
	// Refused is any other refusal of the service.
	Refused Reason = "refused"
	// Gone is a webhook whose receiver has refused all further messages.
	Gone Reason = "gone"
	// Moved is a Telegram group that is another one now, and again another one.
	Moved Reason = "moved"
)

// Error is a message that was not taken. None of its fields holds a secret, and
// neither does what they wrap.
type Error struct {
	// Permanent is set if the same message to the same address with the same settings can
	// never be accepted.
	Permanent bool
	// RetryAfter is the least wait that the service requests, zero if none; at most a
	// day.
	RetryAfter time.Duration
	Reason     Reason
	// Code is the service's own, for example "21211" or "dest_invalid", or the HTTP or
	// SMTP status. Said is its text, at most 300 characters.
	Code, Said string
	// Disable is set if the receiver has refused all further messages (410 of a webhook).
	Disable bool
	// Maybe is set if the message may have been accepted all the same: the service did
	// not answer after it had been sent, or not intelligibly.
	Maybe bool
	// Err is the local or network error, if the failure was not reported by the service.
	Err error
}

const (
	saidLimit = 300
	codeLimit = 64
	// longestWait is what a service may ask for.
	longestWait = 24 * time.Hour
	// paying is the least time until an account is topped up.
	paying = 30 * time.Minute
)

// Refusal marks a message that the service does not take, rather than one that did not
// reach it, for the audit record.
func (e *Error) Refusal() bool { return e.Reason != Away && e.Reason != RateLimited }

// Error implements error: the reason, the service's code and its words.
func (e *Error) Error() string {
	text := string(e.Reason)
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Said != "" {
		text += ": " + e.Said
	}
	return text
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// safe brings the words of a failure into their limits and hides secrets in them.
func (e *Error) safe(hide func(string) string) *Error {
	e.Code = cut(oneLine(hide(e.Code)), codeLimit)
	e.Said = cut(oneLine(hide(e.Said)), saidLimit)
	e.RetryAfter = min(max(e.RetryAfter, 0), longestWait)
	if e.Err != nil && hide(e.Err.Error()) != e.Err.Error() {
		e.Err = errors.New(hide(e.Err.Error()))
	}
	return e
}

// away is a failure of the network. Nothing that holds the address of the request
// is kept, because it may hold a secret.
func away(err error, sent bool) *Error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return &Error{Reason: Away, Said: networkWords(err), Maybe: sent, Err: err}
}

func networkWords(err error) string {
	dns, unresolved := errors.AsType[*net.DNSError](err)
	op, _ := errors.AsType[*net.OpError](err)
	closed, notAllowed := errors.AsType[*NotAllowedError](err)
	switch {
	case notAllowed:
		return closed.Error()
	case unresolved && dns.IsNotFound:
		return "there is no such host"
	case unresolved:
		return "the name of the host could not be resolved"
	case isTLS(err):
		return "the encrypted connection could not be made: " + err.Error()
	case errors.Is(err, context.Canceled):
		return "the message was given up"
	case isTimeout(err):
		return "there was no answer in time"
	case op != nil && op.Op == "dial":
		return "no connection could be made"
	default:
		return "the connection failed"
	}
}

func isTimeout(err error) bool {
	timed, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && timed.Timeout()
}

// isTLS reports certificates that are not accepted and failed handshakes. They are
// temporary, because certificates are renewed, so retries continue.
func isTLS(err error) bool {
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &unknown) ||
		strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:")
}
