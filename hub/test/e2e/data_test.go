package hub_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
)

// A copied data folder beside its original would end the grants of both.
func TestACopiedDataFolderRenewsNothingThatRotatesUntilItIsAdopted(t *testing.T) {
	t.Parallel()
	for name, adopt := range map[string]func(t *testing.T, r *running){
		"by the API": func(t *testing.T, r *running) {
			t.Helper()
			r.admin.must(t, "POST", "/api/v1/data/adopt", nil, nil)
		},
		"by the command": func(t *testing.T, r *running) {
			t.Helper()
			cfg, err := hub.LoadConfig("", nil, map[string]any{"data_dir": r.dir})
			if err == nil {
				err = hub.AdoptData(cfg)
			}
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "the hub adopts its folder", func() bool { return strings.Contains(r.log.String(), "data folder adopted") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := startHubIn(t, dir, nil)
			server, connection := bitrix24(t, r, time.Hour)
			before := r.view(t, connection).Generation
			r.hub.Stop(t.Context())
			at := filepath.Join(t.TempDir(), "copy")
			err := os.CopyFS(at, os.DirFS(dir))
			if err == nil {
				err = os.Chmod(filepath.Join(at, "evergrant.key"), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}

			copied := startHubIn(t, at, nil)
			copied.admin.do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
			if v := copied.view(t, connection); v.Generation != before || v.LastError != nil {
				t.Fatalf("the copy has generation %d after %d, %+v", v.Generation, before, v.LastError)
			}
			if !strings.Contains(copied.log.String(), "evergrant data adopt") {
				t.Error("the log says nothing of it")
			}
			adopt(t, copied)
			copied.admin.must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
			if v := copied.view(t, connection); v.Generation != before+1 || server.Spent() != 0 {
				t.Errorf("after it was adopted it has generation %d", v.Generation)
			}
		})
	}
}
