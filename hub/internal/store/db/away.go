package db

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// starting are the SQLSTATEs of a server that is temporarily unavailable: admin_shutdown,
// crash_shutdown, cannot_connect_now, too_many_connections.
var starting = []string{"57P01", "57P02", "57P03", "53300"}

// Away reports whether an error at startup means that the database is unavailable or
// starting. It is narrower than Unavailable: what the server refuses (a login, a database
// that does not exist, a statement) is permanent, and so is a certificate that does not
// match.
func Away(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(refusal.Code, "08") || slices.Contains(starting, refusal.Code)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return false
	}
	_, network := errors.AsType[net.Error](err) // refused, timed out, no such host (yet)
	return network || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
