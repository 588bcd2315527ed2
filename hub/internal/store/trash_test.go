package store_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// A deleted connection is in no list, count or queue, its name is free, and it comes back
// as it was.
func TestATrashedConnectionIsGoneUntilItIsPutBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.Now()
		svc := addService(t, s, "shop")
		c := connection.New(now, store.NewID(), "sales", "Sales", svc.ID, renewing).
			Granted(now, now, tokens("a1", "r1"), provider.Account{ID: "7", Name: "anna"}, nil)
		check(t, s.Grants.CreateConnection(ctx, c))
		check(t, s.Grants.AddTag(ctx, c.ID, "moscow"))
		check(t, s.People.CreateAPIKey(ctx, peopledb.APIKey{ID: "k", Title: "k", Hash: "h", ConnectionIDs: []string{c.ID}, Scopes: []string{"token:read"}, CreatedAt: now}))
		check(t, s.Grants.TrashConnection(ctx, c.ID, "ann", now))

		_, err := s.Grants.Connection(ctx, c.ID)
		wantErr(t, err, store.ErrNotFound)
		_, err = s.Grants.ConnectionByName(ctx, "sales")
		wantErr(t, err, store.ErrNotFound)
		wantErr(t, s.Grants.UpdateConnection(ctx, c.Paused(now), c), store.ErrNotFound)
		wantErr(t, s.Grants.RenameConnection(ctx, c.ID, "other"), store.ErrNotFound)
		wantErr(t, s.Grants.TrashConnection(ctx, c.ID, "ann", now), store.ErrNotFound)
		for _, name := range []string{"sales", "trash:" + c.ID} {
			if row, err := s.Pull(ctx, "h", name); err != nil || row.ConnectionFound {
				t.Errorf("a pull of %s finds %+v %v", name, row, err)
			}
		}
		nothingOf(t, s, now)
		if won, err := s.Renewals.TakeLease(ctx, c.ID, "hub", time.Minute); won || err != nil {
			t.Errorf("its lease is given: %v %v", won, err)
		}

		check(t, s.Grants.CreateConnection(ctx, connection.New(now, store.NewID(), "sales", "New", svc.ID, renewing)))
		_, err = s.Grants.RestoreTrashed(ctx, c.ID, "sales", now)
		wantErr(t, err, store.ErrNameTaken)
		back, err := s.Grants.RestoreTrashed(ctx, c.ID, "sales-old", now)
		check(t, err)
		got := read(t, s, c.ID)
		if got.Name != "sales-old" || back.Name != got.Name || got.State != connection.StateActive || !got.Due.Equal(cut(c.Due)) || got.Tokens.RefreshToken != "r1" {
			t.Errorf("it is back as %+v", got)
		}
		if row, err := s.Pull(ctx, "h", "sales-old"); err != nil || !row.Named {
			t.Errorf("its key does not open it: %+v %v", row, err)
		}
		if found, _ := s.Grants.Connections(ctx, grantdb.Filter{Query: "sales-old"}); len(found) != 1 {
			t.Errorf("it is not found by its new name")
		}
		_, err = s.Grants.RestoreTrashed(ctx, c.ID, "again", now)
		wantErr(t, err, store.ErrNotFound)
		wantErr(t, s.Grants.DeleteTrashed(ctx, c.ID), store.ErrNotFound)
	})
}

// nothingOf fails if a list or count has a connection.
func nothingOf(t *testing.T, s *store.Store, now time.Time) {
	t.Helper()
	ctx, far := t.Context(), now.Add(10*365*24*time.Hour)
	lists := map[string]func() (int, error){
		"list": func() (int, error) {
			p, err := s.Grants.ConnectionPage(ctx, grantdb.Filter{})
			return len(p.Connections), err
		},
		"tag": func() (int, error) {
			ids, err := s.Grants.IDs(ctx, grantdb.Filter{Tag: "moscow"}, 9)
			return len(ids), err
		},
		"key": func() (int, error) {
			ids, err := s.Grants.IDs(ctx, grantdb.Filter{KeyID: "k"}, 9)
			return len(ids), err
		},
		"tags":     func() (int, error) { tags, err := s.Grants.Tags(ctx); return len(tags), err },
		"services": func() (int, error) { n, err := s.Grants.CountByService(ctx); return len(n), err },
		"statuses": func() (int, error) { n, err := s.Grants.CountByStatus(ctx, far); return len(n), err },
		"forecast": func() (int, error) { f, err := s.Stats.Forecast(ctx, 9); return len(f), err },
		"upcoming": func() (int, error) { f, err := s.Grants.Upcoming(ctx, 9); return len(f), err },
		"changed":  func() (int, error) { f, err := s.Grants.ChangedSince(ctx, time.Time{}, 9); return len(f), err },
		"claims": func() (int, error) {
			f, err := s.Renewals.ClaimDue(ctx, far, "hub", time.Minute, 1, 9)
			return len(f), err
		},
	}
	for name, count := range lists {
		if n, err := count(); err != nil || n != 0 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	if at, err := s.Renewals.NextDueAt(ctx); err != nil || !at.IsZero() {
		t.Errorf("something is due at %s: %v", at, err)
	}
}

// The reply to a renewal that was under way at a deletion holds the only live refresh token:
// it is kept in the trash, and comes back with the connection.
func TestAReplyThatComesAfterTheDeletionIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.Now()
		svc := addService(t, s, "shop")
		for _, name := range []string{"renewed", "failed"} {
			c := addGranted(t, s, svc.ID, name)
			check(t, s.Grants.TrashConnection(ctx, c.ID, "ann", now))
			if name == "failed" {
				failed := c.Failed(now, c.Generation, provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "over"))
				failed.Cause = "grant:" + c.ID
				check(t, s.Renewals.SaveFailure(ctx, failed, c.Generation, "", "hub"))
			} else {
				check(t, s.Renewals.SaveRenewal(ctx, c.Renewed(now, now, tokens("plain-access-2", "plain-refresh-2")), c.Generation, "", "hub"))
			}
			wantErr(t, s.Renewals.SaveFailure(ctx, c.Paused(now), c.Generation+7, "", "hub"), store.ErrStale)
			_, err := s.Grants.Connection(ctx, c.ID)
			wantErr(t, err, store.ErrNotFound)
			if causes, err := s.Grants.Suffering(ctx); err != nil || len(causes) != 0 {
				t.Errorf("a failure of the trash counts: %v %v", causes, err)
			}
			kept, err := s.Grants.ConnectionOrTrashed(ctx, c.ID)
			check(t, err)
			back, err := s.Grants.RestoreTrashed(ctx, c.ID, name, now)
			check(t, err)
			if kept.Name != name || kept.State != back.State || kept.Generation != back.Generation {
				t.Errorf("in the trash it is %s %s %d", kept.Name, kept.State, kept.Generation)
			}
			switch {
			case name == "failed" && (back.State != connection.StateEnded || back.Cause == "" || back.Tokens.RefreshToken != "plain-refresh-1"):
				t.Errorf("the failure is not kept: %+v", back)
			case name == "renewed" && (back.State != connection.StateActive || back.Generation != 2 || back.Tokens.RefreshToken != "plain-refresh-2" || back.Due.IsZero()):
				t.Errorf("the reply is not kept: %+v", back)
			}
		}
	})
}

// The trash is read page by page and searched; what is removed from it is gone with all of it.
func TestTheTrashIsReadAndEmptied(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		svc := addService(t, s, "shop")
		var ids []string
		for n, name := range []string{"one", "two", "three"} {
			c := addGranted(t, s, svc.ID, name)
			check(t, s.Grants.TrashConnection(ctx, c.ID, "ann", noon.Add(time.Duration(n)*time.Hour)))
			ids = append(ids, c.ID)
		}
		first, err := s.Grants.Trash(ctx, grantdb.TrashFilter{Limit: 2})
		check(t, err)
		if len(first) != 2 || first[0].Name != "three" || first[0].TrashedBy != "ann" || !first[0].TrashedAt.Equal(cut(noon.Add(2*time.Hour))) {
			t.Fatalf("the first page is %v", first)
		}
		rest, err := s.Grants.Trash(ctx, grantdb.TrashFilter{Limit: 2, AfterAt: first[1].TrashedAt, AfterID: first[1].ID})
		check(t, err)
		if len(rest) != 1 || rest[0].Name != "one" {
			t.Errorf("the second page is %v", rest)
		}
		for want, f := range map[int]grantdb.TrashFilter{3: {}, 1: {Query: "TWO"}, 2: {Before: noon.Add(90 * time.Minute)}} {
			if n, err := s.Grants.CountTrash(ctx, f); err != nil || n != want {
				t.Errorf("%+v counts %d, %v", f, n, err)
			}
		}
		if n, err := s.Grants.CountTrashOfService(ctx, svc.ID); err != nil || n != 3 {
			t.Errorf("the service has %d there, %v", n, err)
		}
		going := grantdb.Filter{Trash: true, Query: "o"}
		names, err := s.Grants.ChosenNames(ctx, going, 5)
		check(t, err)
		policies, err := s.Grants.ChosenGrants(ctx, going)
		check(t, err)
		if n, err := s.Grants.CountChosen(ctx, going); err != nil || n != 2 || len(names) != 2 || len(policies) != 1 || policies[0].Count != 2 || !policies[0].Policy.Rotates() {
			t.Errorf("%d go, %q, with grants %+v, %v", n, names, policies, err)
		}
		wantErr(t, s.Services.DeleteService(ctx, svc.ID), store.ErrInUse)
		for _, id := range ids {
			check(t, s.Grants.DeleteTrashed(ctx, id))
		}
		_, err = s.Grants.Trashed(ctx, ids[0])
		wantErr(t, err, store.ErrNotFound)
		check(t, s.Services.DeleteService(ctx, svc.ID))
	})
}

// A run that is cancelled leaves alone what waits, and counts what it has done apart.
func TestACancelledRunLeavesTheRestAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		svc := addService(t, s, "shop")
		for _, name := range []string{"one", "two", "three"} {
			addGranted(t, s, svc.ID, name)
		}
		run := bulkdb.BulkRun{ID: store.NewID(), Act: "delete", CreatedAt: noon}
		n, err := s.Bulk.CreateBulkRun(ctx, run, grantdb.Filter{}, 10)
		check(t, err)
		items, err := s.Bulk.WaitingBulkItems(ctx, run.ID, 1, noon)
		check(t, err)
		items[0].State = bulkdb.BulkFailed
		check(t, s.Bulk.FinishBulkItem(ctx, run.ID, items[0]))
		check(t, s.Bulk.CancelBulkRun(ctx, run.ID, noon))
		wantErr(t, s.Bulk.CancelBulkRun(ctx, run.ID, noon), store.ErrNotFound)
		if items, err = s.Bulk.WaitingBulkItems(ctx, run.ID, 9, noon); err != nil || len(items) != 0 {
			t.Errorf("there waits %v, %v", items, err)
		}
		read, counts, items, err := s.Bulk.BulkRun(ctx, run.ID, bulkdb.BulkPage{Skip: 1, Limit: 9})
		check(t, err)
		if n != 3 || read.CancelledAt.IsZero() || counts[bulkdb.BulkCancelled] != 2 || counts[bulkdb.BulkFailed] != 1 || len(items) != 2 {
			t.Errorf("%d: %+v %v %v", n, read, counts, items)
		}
	})
}
