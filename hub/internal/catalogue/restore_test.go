package catalogue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestWhoPutATokenSetBackIsInTheTimeline(t *testing.T) {
	s := storetest.SQLite(t)
	c := catalogue.New(s, nil, nil, hclog.NewNullLogger())
	now := time.Now()
	svc := service.Service{ID: store.NewID(), Name: "svc", Title: "svc", Provider: "google", Description: &provider.Description{}, CreatedAt: now, UpdatedAt: now}
	must(t, s.Services.CreateService(t.Context(), svc))
	grant := func(access string) provider.Token {
		return provider.Token{AccessToken: access, RefreshToken: "refresh-of-" + access, ExpiresIn: provider.Seconds(3600)}
	}
	conn := connection.New(now, store.NewID(), "sales", "sales", svc.ID, connection.Policy{AutoRenew: provider.AutoRenewRefreshToken}).
		Granted(now, now, grant("first"), provider.Account{}, nil)
	must(t, s.Grants.CreateConnection(t.Context(), conn))
	must(t, s.Grants.UpdateConnection(t.Context(), conn.Granted(now, now, grant("second"), provider.Account{}, nil), conn))

	_, err := c.Restore(t.Context(), conn.ID, 9, "key:7")
	if refused, ok := errors.AsType[*catalogue.RestoreRefusedError](err); !ok || !errors.Is(refused, connection.ErrRestoreCurrent) {
		t.Errorf("generation 9 of 2: %v", err)
	}
	restored, err := c.Restore(t.Context(), conn.ID, 0, "key:7")
	must(t, err)
	if restored.Tokens.RefreshToken != "refresh-of-first" || restored.Generation != 3 {
		t.Errorf("generation %d was put back as %s", restored.Generation, restored.Tokens)
	}
	must(t, s.Grants.PruneHistory(t.Context(), grantdb.HistoryBounds{Count: 20, Before: now.Add(time.Hour)}))
	if _, err := c.Restore(t.Context(), conn.ID, 1, "key:7"); !errors.Is(err, connection.ErrRestoreGone) {
		t.Errorf("a set that is not kept any more: %v", err)
	}
	events, err := s.Grants.Events(t.Context(), conn.ID, 10)
	must(t, err)
	if len(events) != 1 || events[0].Kind != catalogue.EventRestored || events[0].Actor != "key:7" || strings.Contains(events[0].Detail, "refresh-of") {
		t.Errorf("the timeline has %+v", events)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
