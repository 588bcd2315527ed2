package store_test

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestPluginIsRememberedByItsSum(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := plugindb.PluginRecord{
			Sum: "abc", Name: "bitrix24", Version: "1.0", SeenAt: cut(noon), Uses: []string{"feature limits"},
			Descriptions: []provider.Description{*newService("x").Description},
		}
		check(t, s.Plugins.SavePlugin(t.Context(), want))
		want.Version, want.SeenAt = "1.1", want.SeenAt.Add(time.Hour)
		check(t, s.Plugins.SavePlugin(t.Context(), want))
		got, err := s.Plugins.PluginBySum(t.Context(), "abc")
		check(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("came back as %+v", got)
		}
		_, err = s.Plugins.PluginBySum(t.Context(), "def")
		wantErr(t, err, store.ErrNotFound)
	})
}

func TestOneTimeSettingIsTakenOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		_, err := s.Setting(t.Context(), "setup")
		wantErr(t, err, store.ErrNotFound)
		check(t, s.SetSetting(t.Context(), "setup", "old"))
		check(t, s.SetSetting(t.Context(), "setup", "hash"))
		if value, err := s.Setting(t.Context(), "setup"); value != "hash" || err != nil {
			t.Errorf("%q, %v", value, err)
		}
		wantErr(t, s.TakeSetting(t.Context(), "setup", "old"), store.ErrNotFound)
		var taken atomic.Int32
		var takers sync.WaitGroup
		for range 10 {
			takers.Go(func() {
				if s.TakeSetting(t.Context(), "setup", "hash") == nil {
					taken.Add(1)
				}
			})
		}
		takers.Wait()
		if taken.Load() != 1 {
			t.Errorf("taken %d times", taken.Load())
		}
	})
}

func TestTimelineShowsTheNewestFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i, kind := range []string{"authorized", "renewed", "failed"} {
			check(t, s.Grants.AddEvent(t.Context(), grantdb.Event{
				ConnectionID: "1", ServiceID: "2", Kind: kind, Actor: "anna", Detail: "подробности", At: cut(noon).Add(time.Duration(i) * time.Hour),
			}))
		}
		check(t, s.Grants.AddEvent(t.Context(), grantdb.Event{ConnectionID: "9", Kind: "now"}))
		got, err := s.Grants.Events(t.Context(), "1", 2)
		check(t, err)
		if len(got) != 2 || got[0].Kind != "failed" || got[1].Kind != "renewed" || got[1].Detail != "подробности" || got[0].ID == "" {
			t.Errorf("%+v", got)
		}
		check(t, s.Grants.PruneEvents(t.Context(), noon.Add(30*time.Minute)))
		all, err := s.Grants.Events(t.Context(), "", 10)
		check(t, err)
		for _, e := range all {
			if e.Kind == "authorized" {
				t.Error("an old event was not removed")
			}
			if e.At.IsZero() {
				t.Error("an event has no time")
			}
		}
	})
}
