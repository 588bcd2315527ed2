package demo

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/bitrix24/bitrix24test"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// A demo that is restarted must not end the grants of its connections.
func TestEmulatorsRememberTheirGrants(t *testing.T) {
	file := filepath.Join(t.TempDir(), "grants.json")
	before, err := Start(Config{Secret: "fixed", Grants: file})
	if err != nil {
		t.Fatal(err)
	}
	server, ok := before.Service("bitrix24").grants.(*bitrix24test.Server)
	if !ok {
		t.Fatal("bitrix24 keeps no grants")
	}
	g := server.Open(emulator.Grant{ClientID: "app"})
	server.Issue(emulator.Access, "a-1", time.Hour, g.ID)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}

	after, err := Start(Config{Secret: "fixed", Grants: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = after.Close() })
	if got := after.Service("bitrix24").TokenState("a-1"); got != "valid" {
		t.Errorf("the token is %s after the restart", got)
	}
	for _, s := range after.Services {
		if s.grants == nil {
			t.Errorf("%s keeps no grants", s.Name)
		}
	}
}
