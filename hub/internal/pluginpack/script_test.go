package pluginpack_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/evergrant/evergrant/hub/internal/pluginpack"
)

// A plugin for an interpreter is a script that says so, for one of those that a hub has.
func TestAScriptNamesAnInterpreterThatAHubHas(t *testing.T) {
	for name, test := range map[string]struct{ interpreter, content, says string }{
		"node":           {"node", "#!/usr/bin/env node\n", ""},
		"python":         {"python3", "#!/usr/bin/python3\n", ""},
		"another one":    {"perl", "#!/usr/bin/perl\n", "none of node and python3"},
		"no first line":  {"node", "console.log(1)\n", "does not begin with #!"},
		"nothing at all": {"node", "#", "does not begin with #!"},
		"no interpreter": {"", "#!/usr/bin/env node\n", "no program"},
	} {
		t.Run(name, func(t *testing.T) {
			m := manifest()
			m.Sandbox.Interpreter = test.interpreter
			var out bytes.Buffer
			_, err := pluginpack.Write(&out, m, fstest.MapFS{m.Entry: {Data: []byte(test.content), Mode: 0o755}})
			if err == nil {
				_, err = unpack(t, out.Bytes())
			}
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
}

// Programs of other systems are known by their heads.
func TestAProgramOfAnotherSystemIsRefused(t *testing.T) {
	macho := append([]byte{0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0}, make([]byte, 64)...)
	pe := make([]byte, 512)
	copy(pe, "MZ")
	pe[0x3c] = 0x80
	copy(pe[0x80:], "PE\x00\x00\x64\x86")
	for system, content := range map[string][]byte{"darwin": macho, "windows": pe} {
		m := manifest()
		var out bytes.Buffer
		_, err := pluginpack.Write(&out, m, fstest.MapFS{m.Entry: {Data: content, Mode: 0o755}})
		if err == nil {
			_, err = unpack(t, out.Bytes())
		}
		if err == nil || !strings.Contains(err.Error(), "is for "+system) {
			t.Errorf("a program for %s: %v", system, err)
		}
	}
}

// A key with a password is one by its head; what makes a key of a password takes seconds, so
// damaged ones are shown without.
func TestAPrivateKeyWithAPasswordAsksForIt(t *testing.T) {
	locked := []byte("untrusted comment: a key\n" + base64.StdEncoding.EncodeToString([]byte("EdScB2 and the rest of it")))
	noTerminal := errors.New("there is nobody to ask")
	if _, err := pluginpack.ReadPrivateKey(locked, func() (string, error) { return "", noTerminal }); !errors.Is(err, noTerminal) {
		t.Errorf("nobody is asked: %v", err)
	}
	if _, err := pluginpack.ReadPrivateKey(locked, func() (string, error) { return "correct horse", nil }); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: %v", err)
	}
}

func TestHostsOfAPackageAreNamedOnceEach(t *testing.T) {
	m := pluginpack.Manifest{Providers: []pluginpack.Provider{{Hosts: []string{"b.example", "a.example"}}, {Hosts: []string{"b.example"}}}}
	if hosts := m.Hosts(); !slices.Equal(hosts, []string{"a.example", "b.example"}) {
		t.Errorf("%v", hosts)
	}
}
