package backup_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/store"
)

func TestABackupIsDueByItsPlan(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		state backup.State
		due   bool
	}{
		"never made":               {backup.State{}, true},
		"a good one is young":      {backup.State{GoodAt: now.Add(-time.Hour)}, false},
		"a good one is old":        {backup.State{GoodAt: now.Add(-25 * time.Hour)}, true},
		"one is under way":         {backup.State{BegunAt: now.Add(-time.Hour)}, false},
		"its replica died":         {backup.State{BegunAt: now.Add(-3 * time.Hour)}, true},
		"one has just failed":      {backup.State{FailedAt: now.Add(-time.Minute)}, false},
		"one failed some time ago": {backup.State{FailedAt: now.Add(-11 * time.Minute)}, true},
	} {
		if got := tt.state.Due(now, 24*time.Hour); got != tt.due {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestScheduledBackupsAreMadeKeptAndNotedWhenTheyFail(t *testing.T) {
	box := newBox(t)
	address := filled(t, box, 1)
	s, err := store.Open(t.Context(), options(address, box))
	check(t, err)
	defer func() { check(t, s.Close()) }()
	var log bytes.Buffer
	dir := filepath.Join(t.TempDir(), "backups")
	run := func(plan backup.Plan) backup.State {
		t.Helper()
		schedule := &backup.Schedule{Plan: plan, Store: s, Log: hclog.New(&hclog.LoggerOptions{Output: &log}), Source: backup.Source{Database: options(address, box), DataDir: t.TempDir(), Box: box, Version: "test"}}
		check(t, schedule.Look(t.Context()))
		schedule.Wait()
		state, err := backup.ReadState(t.Context(), s)
		check(t, err)
		return state
	}
	plan := backup.Plan{Dir: dir, Every: time.Nanosecond, Keep: 2}
	for range 3 {
		state := run(plan)
		if state.File == "" || state.Bytes == 0 || state.GoodAt.IsZero() || !state.BegunAt.IsZero() || state.Problem != "" {
			t.Fatalf("%+v\n%s", state, &log)
		}
	}
	kept, err := backup.List(dir)
	if check(t, err); len(kept) != 2 {
		t.Errorf("kept are %v", kept)
	}
	if _, err := backup.Verify(t.Context(), kept[1], box, nil); err != nil {
		t.Error(err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(blocked, nil, 0o600))
	state := run(backup.Plan{Dir: filepath.Join(blocked, "below"), Every: time.Nanosecond, Keep: 2})
	if state.Problem == "" || state.FailedAt.IsZero() || state.GoodAt.IsZero() || !strings.Contains(log.String(), "scheduled backup failed") {
		t.Errorf("%+v\n%s", state, &log)
	}
	if state := run(backup.Plan{}); state.Problem == "" {
		t.Error("without a folder something was done")
	}
}
