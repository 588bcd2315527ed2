package db

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestADatabaseThatIsAwayIsToldFromAWrongStatement(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		away bool
	}{
		"no error":             {nil, false},
		"connection refused":   {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		"connection reset":     {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		"cut":                  {io.ErrUnexpectedEOF, true},
		"a dead connection":    {driver.ErrBadConn, true},
		"shut down":            {&pgconn.PgError{Code: "57P01"}, true},
		"starting up":          {&pgconn.PgError{Code: "57P03"}, true},
		"too many connections": {&pgconn.PgError{Code: "53300"}, true},
		"disk full":            {&pgconn.PgError{Code: "53100"}, true},
		"a duplicate":          {&pgconn.PgError{Code: "23505"}, false},
		"a wrong statement":    {&pgconn.PgError{Code: "42601"}, false},
		"a missing row":        {ErrNotFound, false},
		"anything else":        {errors.New("the row cannot be unsealed"), false},
	} {
		t.Run(name, func(t *testing.T) {
			wrapped := tt.err
			if tt.err != nil {
				wrapped = fmt.Errorf("read the connection sales: %w", tt.err)
			}
			if got := Unavailable(wrapped); got != tt.away {
				t.Errorf("unavailable %t, want %t", got, tt.away)
			}
		})
	}
}
