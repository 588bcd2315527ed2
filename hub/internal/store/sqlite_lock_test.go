package store_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// otherProcess is set for the process that TestNoNameOfADatabaseLetsASecondHubIn starts.
const otherProcess = "EVERGRANT_TEST_OPEN_SQLITE"

func TestOpenInAnotherProcess(t *testing.T) {
	path := os.Getenv(otherProcess)
	if path == "" {
		t.Skip("this is for another test to start")
	}
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path, Box: storetest.Box(t)})
	_, _ = fmt.Fprintln(os.Stdout, "opened:", err == nil, err)
	if err == nil {
		check(t, s.Close())
	}
}

func TestNoNameOfADatabaseLetsASecondHubIn(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "evergrant.db")
	s, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path, Box: storetest.Box(t)})
	check(t, err)
	symlink, hard := filepath.Join(t.TempDir(), "link.db"), filepath.Join(dir, "hard.db")
	check(t, os.Symlink(path, symlink))
	check(t, os.Link(path, hard))
	check(t, os.Remove(path+".lock"))
	open := func(path string) string {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOpenInAnotherProcess$", "-test.v")
		cmd.Env = append(os.Environ(), otherProcess+"="+path)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	for what, path := range map[string]string{"itself": path, "a symbolic link": symlink, "a hard link": hard} {
		if out := open(path); !strings.Contains(out, "opened: false") || !strings.Contains(out, "in use by another hub") {
			t.Errorf("%s: %s", what, out)
		}
	}
	addService(t, s, "portal") // the lock of the file does not meet SQLite's own
	check(t, s.Close())
	if out := open(symlink); !strings.Contains(out, "opened: true") {
		t.Errorf("after the first hub has stopped: %s", out)
	}
}

func TestWhatIsWorthAnotherTry(t *testing.T) {
	sql := func(code string) error { return fmt.Errorf("reach the database: %w", &pgconn.PgError{Code: code}) }
	for err, want := range map[error]bool{
		sql("57P03"): true, sql("57P01"): true, sql("57P02"): true, sql("53300"): true, sql("08006"): true,
		sql("28P01"): false, sql("28000"): false, sql("3D000"): false, sql("42501"): false,
		&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}: true,
		&net.DNSError{Err: "no such host", IsNotFound: true}:  true,
		context.DeadlineExceeded:                              true,
		context.Canceled:                                      false,
		errors.New("the database has a newer schema"):         false,
	} {
		if store.Away(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
	if store.Away(nil) {
		t.Error("no error is worth another try")
	}
}
