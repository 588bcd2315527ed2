package e2e_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A key is replaced without a grant being lost: the new one seals after the next start,
// the hub seals anew what the old one has sealed, and the old one goes when nothing needs it.
func TestAKeyIsReplaced(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			flags := map[string]any{}
			if name == "postgres" {
				flags["database.url"] = storetest.Postgres(t)
			}
			world := hubtest.StartWorld(t, time.Hour)
			r := hubtest.StartHub(t, flags)
			connection := r.AddService(t, world.Service("oauth2"))
			r.Authorize(t, connection)
			token := r.Key(t, connection).Pull(t, connection)
			if flags["key.file"] = filepath.Join(r.Dir, "evergrant.key"); name == "postgres" {
				flags["key.file"] = filepath.Join(r.Dir, "made.key")
			}
			flags["data_dir"] = r.Dir
			cfg, err := hub.LoadConfig("", nil, flags)
			if err != nil {
				t.Fatal(err)
			}
			stop(t, r)

			id, err := hub.RotateKey(cfg)
			if err != nil {
				t.Fatal(err)
			}
			uses := keyUses(t, cfg)
			if len(uses) != 2 || uses[0].ID != id || uses[0].Used() || !uses[1].Used() || uses[1].Newest == 0 {
				t.Fatalf("after the rotation: %+v", uses)
			}
			if _, err := hub.RetireKeys(t.Context(), cfg); !errors.Is(err, hub.ErrKeyUsed) {
				t.Fatalf("a key that is needed: %v", err)
			}
			r = hubtest.StartHubIn(t, r.Dir, flags)
			hubtest.Eventually(t, "all is sealed with the new key", func() bool {
				uses = keyUses(t, cfg)
				return uses[1].Database+uses[1].Newest == 0 && uses[0].Newest > 0
			})
			if got := r.Key(t, connection).Pull(t, connection); got.AccessToken != token.AccessToken {
				t.Error("another token came back")
			}
			r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
			stop(t, r)

			removed, err := hub.RetireKeys(t.Context(), cfg)
			if err != nil || len(removed) != 1 || removed[0] != uses[1].ID {
				t.Fatalf("%v, %v", removed, err)
			}
			r = hubtest.StartHubIn(t, r.Dir, flags)
			if got := r.Key(t, connection).Pull(t, connection); got.Generation != token.Generation+1 {
				t.Errorf("generation %d after the old key has gone", got.Generation)
			}
		})
	}
}

func keyUses(t *testing.T, cfg hub.Config) []hub.KeyUse {
	t.Helper()
	uses, err := hub.KeyUses(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return uses
}

func stop(t *testing.T, r *hubtest.Running) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	r.Hub.Stop(ctx)
}

// A key that comes from the environment is not changed in a file beside it.
func TestAKeyFromTheEnvironmentIsNotRotatedInAFile(t *testing.T) {
	t.Parallel()
	cfg := hub.Config{DataDir: t.TempDir()}
	cfg.Key.Value, cfg.Key.File = "c29tZXRoaW5n", filepath.Join(cfg.DataDir, "evergrant.key")
	if _, err := hub.RotateKey(cfg); err == nil {
		t.Error("it was rotated")
	}
}
