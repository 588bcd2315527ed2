package pluginhost

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFirstLinesThatAreNoHandshakeAreRefused(t *testing.T) {
	good := "1|1|unix|/s|grpc|" + someCertificate
	for name, c := range map[string]struct{ in, want string }{
		"good":               {good + "\nmore", ""},
		"seven fields":       {good + "|true\r\n", ""},
		"a banner":           {"warming up\n" + good + "\n", `not the handshake of a plugin; print nothing else on standard output: "warming up"`},
		"control characters": {"\x1b]0;x\a\n", `"\x1b]0;x\a"`},
		"a long line":        {strings.Repeat("z", 5000) + "\n", "longer than 4096 bytes"},
		"no newline":         {good, "has no end"},
		"another core":       {"2" + good[1:] + "\n", `go-plugin's own protocol, this hub speaks 1`},
		"another version":    {"1|7" + good[3:] + "\n", `version "7" of the provider protocol, this hub speaks [1]`},
		"net/rpc":            {strings.Replace(good, "grpc", "netrpc", 1) + "\n", `serves "netrpc"`},
		"no certificate":     {"1|1|unix|/s|grpc|\n", "has no certificate"},
		"a bad certificate":  {"1|1|unix|/s|grpc|AAAA\n", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readHandshake(bufio.NewReaderSize(strings.NewReader(c.in), maxHandshake))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !isDefect(err) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v", err)
			}
		})
	}
	if _, err := readHandshake(bufio.NewReader(strings.NewReader(""))); !errors.Is(err, io.EOF) {
		t.Errorf("without any line: %v", err)
	}
}

func TestOnlyASocketInThePluginsFolderIsDialled(t *testing.T) {
	dir, elsewhere := shortDir(t), shortDir(t)
	for _, path := range []string{filepath.Join(dir, "s"), filepath.Join(elsewhere, "s")} {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, "s"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := checkSocket(dir, dir, "unix", filepath.Join(dir, "s")); err != nil {
		t.Errorf("its own socket: %v", err)
	}
	for name, c := range map[string]struct{ network, address string }{
		"tcp":           {"tcp", "db.example.com:5432"},
		"elsewhere":     {"unix", filepath.Join(elsewhere, "s")},
		"up and down":   {"unix", dir + "/../" + filepath.Base(dir) + "/s"},
		"a symlink":     {"unix", filepath.Join(dir, "link")},
		"a file":        {"unix", filepath.Join(dir, "file")},
		"missing":       {"unix", filepath.Join(dir, "none")},
		"abstract":      {"unix", "@abstract"},
		"relative path": {"unix", "s"},
	} {
		if _, err := checkSocket(dir, dir, c.network, c.address); err == nil || !isDefect(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
