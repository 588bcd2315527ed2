package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The whole round: a hub that runs is backed up, the backup proven and restored beside it,
// and what was there comes back without a token in clear on the way.
func TestAHubIsBackedUpProvenAndRestored(t *testing.T) {
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	connection := r.AddService(t, world.Service("oauth2"))
	r.Authorize(t, connection)
	token := r.Key(t, connection).Pull(t, connection)
	cfg := configOf(t, r)
	made, err := hub.Backup(t.Context(), cfg, "test", t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(made.File)
	if err != nil || bytes.Contains(data, []byte(token.AccessToken)) || bytes.Contains(data, []byte(connection)) {
		t.Errorf("the backup shows what is in it, or %v", err)
	}
	proven, err := hub.VerifyBackup(t.Context(), cfg, made.File, nil)
	if err != nil || proven.Sealed < 3 || proven.Rows["connections"] != 1 {
		t.Errorf("%+v, %v", proven, err)
	}
	if _, err := hub.Restore(t.Context(), cfg, made.File, true, nil); !errors.Is(err, hub.ErrHubsRun) {
		t.Errorf("beside the hub that runs: %v", err)
	}
	dir := t.TempDir()
	to := cfg
	if err := hub.RestoreTo(&to, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Restore(t.Context(), to, made.File, false, nil); err != nil {
		t.Fatal(err)
	}
	again := hubtest.StartHubIn(t, dir, map[string]any{"key.file": filepath.Join(r.Dir, "evergrant.key")})
	if v := again.View(t, connection); v.Generation != token.Generation || v.Status != "fresh" {
		t.Errorf("%+v", v)
	}
	if got := again.Key(t, connection).Pull(t, connection); got.AccessToken != token.AccessToken {
		t.Error("another token came back")
	}
}

// The default data folder is ./data, so every file below it is opened by a relative path.
func TestAllThatAFolderIsForWorksWithARelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHubIn(t, "data", nil)
	connection := r.AddService(t, world.Service("oauth2"))
	r.Authorize(t, connection)
	token := r.Key(t, connection).Pull(t, connection)
	cfg := configOf(t, r)
	made, err := hub.Backup(t.Context(), cfg, "test", "backups", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.VerifyBackup(t.Context(), cfg, made.File, nil); err != nil {
		t.Error(err)
	}
	if found, _ := hub.Doctor(t.Context(), cfg, ""); strings.Contains(fmt.Sprint(found), "authority") {
		t.Errorf("%+v", found)
	}
	to := cfg
	if err := hub.RestoreTo(&to, "restored"); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Restore(t.Context(), to, made.File, false, nil); err != nil {
		t.Fatal(err)
	}
	again := hubtest.StartHubIn(t, "restored", map[string]any{"key.file": filepath.Join("data", "evergrant.key")})
	if got := again.Key(t, connection).Pull(t, connection); got.AccessToken != token.AccessToken {
		t.Error("another token came back")
	}
	if err := hub.Detach(t.Context(), cfg, "test"); err != nil {
		t.Error(err)
	}
}

func TestAScheduledBackupIsMadeAndItsFailureIsSeen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "backups")
	r := hubtest.StartHub(t, map[string]any{"backup.dir": dir})
	hubtest.Eventually(t, "a backup is made", func() bool {
		found, err := backup.List(dir)
		return err == nil && len(found) == 1 && hubtest.Contains(r.Log, "scheduled backup written")
	})
	hubtest.Expect(t, hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir, "backup.dir": dir}), "backup", "ok", "the last good one")
	if text := r.Scrape(t); !strings.Contains(text, "evergrant_backup_interval_seconds 86400\n") {
		t.Error("the schedule is not measured")
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := hubtest.StartHub(t, map[string]any{"backup.dir": filepath.Join(blocked, "below")})
	hubtest.Eventually(t, "a backup fails", func() bool { return hubtest.Contains(bad.Log, "scheduled backup failed") })
	hubtest.Eventually(t, "the doctor says so", func() bool {
		for _, f := range hubtest.Findings(t, "", map[string]any{"data_dir": bad.Dir, "backup.dir": filepath.Join(blocked, "below")}) {
			if f.Check == "backup" && f.Level == "fail" && strings.Contains(f.What, "the last one failed") {
				return true
			}
		}
		return false
	})
	boss := bad.Owner(t)
	for lang, words := range map[string]string{"en": "Backups fail", "ru": "Резервное копирование не удаётся"} {
		boss.Ask("POST", "/preferences", map[string][]string{"lang": {lang}, "return_to": {"/"}})
		if _, page, _ := boss.Ask("GET", "/", nil); !strings.Contains(page, words) {
			t.Errorf("%s: the overview does not say that backups fail", lang)
		}
	}
}
