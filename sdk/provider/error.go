package provider

import (
	"errors"
	"fmt"
	"time"
)

// Kind determines who has to act on an error. Callers switch on it, never on text.
type Kind int

const (
	// Internal is the zero kind: a malformed reply, a panic, an error without a
	// meaning. The hub treats it as Transient and logs it as an error.
	Internal Kind = iota
	// Transient passes by itself: 5xx, 429, network, deadline. The hub backs off.
	Transient
	// Blocked needs the operator: wrong client secret, wrong scope, unpaid
	// account. The hub keeps the tokens and tries slowly.
	Blocked
	// ReauthorizationRequired needs the person who granted: invalid_grant, consent
	// withdrawn, refresh token expired. The only kind that ends a grant.
	ReauthorizationRequired
	// Denied is the answer of a person at the consent page.
	Denied
)

// Kinds lists every kind, for tests and documentation.
func Kinds() []Kind { return []Kind{Internal, Transient, Blocked, ReauthorizationRequired, Denied} }

// String returns the name of the kind as it appears in the hub API.
func (k Kind) String() string {
	switch k {
	case Transient:
		return "transient"
	case Blocked:
		return "blocked"
	case ReauthorizationRequired:
		return "reauthorization_required"
	case Denied:
		return "denied"
	default:
		return "internal"
	}
}

// ParseKind is the inverse of Kind.String; unknown names are Internal.
func ParseKind(s string) Kind {
	for _, k := range Kinds() {
		if k.String() == s {
			return k
		}
	}
	return Internal
}

// Error is a failed operation and its meaning. Message and Code are shown to
// people and logged: they never hold a token, code, verifier or secret.
type Error struct {
	Kind Kind
	// Code is the service's own error code, for example invalid_grant.
	Code string
	// Message describes what happened. It quotes the service's text.
	Message string
	// RetryAfter is the wait that the service requested; zero if none.
	RetryAfter time.Duration
	// HTTPStatus of the reply that the error was read from; zero without one.
	HTTPStatus int
	// Option names the service option that is wrong, if one is.
	Option string
	// Remedy is what a person should do, if the provider has better advice than the hub.
	Remedy Text
	// TooEarly is set on a Transient error if the service renews only after the access
	// token has expired. The hub waits for that.
	TooEarly bool
	// RefreshToken is a secret: the new refresh token of a reply that reports success
	// and is otherwise of no use, which the hub keeps in place of the one that was sent.
	// It is in no text of the error.
	RefreshToken string
	// Err is the cause. It does not cross the process border.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	s := e.Message
	if s == "" {
		s = e.Kind.String() + " error"
	}
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	return s
}

// GoString keeps the secret out of %#v.
func (e *Error) GoString() string {
	return "provider.Error{" + e.Kind.String() + ": " + e.Error() + "}"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf builds an Error. A %w verb sets the cause.
func Errorf(kind Kind, code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// KindOf returns the kind of the first *Error in the chain, Internal without one.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
