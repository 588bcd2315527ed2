package main

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// waitFor reads lines until one has a text.
func waitFor(t *testing.T, from *bufio.Reader, text string) {
	t.Helper()
	for {
		line, err := from.ReadString('\n')
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("no line has %q: %v", text, err)
		}
	}
}

// A hang-up has a running hub read its configuration again. It ended the process before,
// and what it had under way with it.
func TestAHangUpReloadsAndDoesNotEndTheHub(t *testing.T) {
	command := exec.CommandContext(t.Context(), built(t), "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(t.TempDir(), "data"), "--plugins-dir", t.TempDir())
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	logged, into := io.Pipe()
	command.Stderr = into
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	context.AfterFunc(t.Context(), func() { _ = into.Close() })
	lines := bufio.NewReader(logged)
	waitFor(t, bufio.NewReader(out), "is running at")
	for range 2 {
		if err := command.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		waitFor(t, lines, "reloaded TLS certificate and log level")
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("the hub does not stop as asked: %v", err)
	}
}
