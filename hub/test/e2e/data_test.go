package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A copied data folder beside its original would end the grants of both.
func TestACopiedDataFolderRenewsNothingThatRotatesUntilItIsAdopted(t *testing.T) {
	t.Parallel()
	for name, adopt := range map[string]func(t *testing.T, r *hubtest.Running){
		"by the API": func(t *testing.T, r *hubtest.Running) {
			t.Helper()
			r.Admin.Must(t, "POST", "/api/v1/data/adopt", nil, nil)
		},
		"by the command": func(t *testing.T, r *hubtest.Running) {
			t.Helper()
			cfg, err := hub.LoadConfig("", nil, map[string]any{"data_dir": r.Dir})
			if err == nil {
				err = hub.AdoptData(cfg)
			}
			if err != nil {
				t.Fatal(err)
			}
			hubtest.Eventually(t, "the hub adopts its folder", func() bool { return strings.Contains(r.Log.String(), "data folder adopted") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := hubtest.StartHubIn(t, dir, nil)
			server, connection := bitrix24(t, r, time.Hour)
			before := r.View(t, connection).Generation
			r.Hub.Stop(t.Context())
			at := filepath.Join(t.TempDir(), "copy")
			err := os.CopyFS(at, os.DirFS(dir))
			if err == nil {
				err = os.Chmod(filepath.Join(at, "evergrant.key"), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}

			copied := hubtest.StartHubIn(t, at, nil)
			copied.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
			if v := copied.View(t, connection); v.Generation != before || v.LastError != nil {
				t.Fatalf("the copy has generation %d after %d, %+v", v.Generation, before, v.LastError)
			}
			if !strings.Contains(copied.Log.String(), "evergrant data adopt") {
				t.Error("the log says nothing of it")
			}
			adopt(t, copied)
			copied.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
			if v := copied.View(t, connection); v.Generation != before+1 || server.Spent() != 0 {
				t.Errorf("after it was adopted it has generation %d", v.Generation)
			}
		})
	}
}
