package tokensource_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// identifying is a provider that says whose a grant is.
type identifying struct {
	rotating
	account provider.Account
}

func (i identifying) Identify(context.Context, *provider.IdentifyRequest) (*provider.Account, error) {
	return &i.account, nil
}

// identifies has the rig's provider name an account.
func (r *rig) identifies(t *testing.T, account provider.Account) {
	t.Helper()
	d := *r.service.Description
	d.Grants = []provider.Grant{provider.GrantRefresh, provider.GrantIdentify}
	svc, was := r.service, r.service.UpdatedAt
	svc.Description, svc.UpdatedAt = &d, was.Add(time.Second)
	must(t, r.store.Services.ReplaceService(t.Context(), svc, was))
	r.service = svc
	client, stop, err := providerplugin.InProcess(identifying{rotating{d}, account})
	must(t, err)
	t.Cleanup(stop)
	r.client = client
}

// withIDToken gives the rig's connection an ID token, which the next reply will not have.
func (r *rig) withIDToken(t *testing.T) {
	t.Helper()
	with := r.c
	with.Tokens.IDToken = "e30.eyJzdWIiOiIxIiwiZW1haWwiOiJhbm5hQGV4YW1wbGUudGVzdCJ9.s"
	must(t, r.store.Grants.UpdateConnection(t.Context(), with, r.c))
	r.c = r.read(t)
}

func TestAServiceThatNamesAnotherAccountIsTold(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Hour)
	r.identifies(t, provider.Account{ID: "2", Name: "Boris"})
	r.withIDToken(t)
	moved := make(chan tokensource.AccountMoved, 1)
	r.start(t, func(o *tokensource.Options, _ *operation.Options) {
		o.Moved = func(_ context.Context, m tokensource.AccountMoved) error { moved <- m; return nil }
	})
	r.let <- struct{}{}
	_, err := r.source.Ask(t.Context(), r.c, time.Minute)
	must(t, err)
	if m := <-moved; m.After.ID != "2" || m.Connection.ID != r.c.ID {
		t.Errorf("told %+v", m)
	}
	r.source.Close(t.Context())
	if c := r.read(t); c.Account.ID != "2" || c.Generation != 2 {
		t.Errorf("the account is %q of generation %d", c.Account.ID, c.Generation)
	}
	events, err := r.store.Grants.Events(t.Context(), r.c.ID, 10)
	must(t, err)
	for _, e := range events {
		if e.Kind == tokensource.EventAccount && strings.Contains(e.Detail, "Boris (2) now, before to an unknown account") {
			return
		}
	}
	t.Errorf("no event says so: %+v", events)
}

// A person's decision ends a grant without a request, and only the grant that it was about.
func TestAGrantIsGivenUpOnADecisionAboutIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, -time.Minute)
	r.start(t, nil)
	about := grantdb.Generation{Generation: r.c.Generation, Lineage: r.c.Lineage}
	other := about
	other.Generation++
	if err := r.source.GiveUp(t.Context(), r.c.ID, other); !errors.Is(err, tokensource.ErrNewer) {
		t.Errorf("another generation: %v", err)
	}
	if err := r.source.GiveUp(t.Context(), store.NewID(), about); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no connection: %v", err)
	}
	must(t, r.source.GiveUp(t.Context(), r.c.ID, about))
	if c := r.read(t); c.State != connection.StateEnded || c.Failure == nil || c.Failure.Code != tokensource.CodeBehind || len(r.arrived) != 0 {
		t.Errorf("it is %s, %+v", c.State, c.Failure)
	}
}

func TestAPullIsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Hour)
	r.start(t, nil)
	before := time.Now().Add(-time.Second)
	r.source.TouchPulled(t.Context(), r.c.ID)
	first := r.read(t).LastPulledAt
	r.source.TouchPulled(t.Context(), r.c.ID)
	if first.Before(before) || !r.read(t).LastPulledAt.Equal(first) {
		t.Errorf("noted at %s, then at %s", first, r.read(t).LastPulledAt)
	}
}

// Where use extends a token, handing it out is noted; elsewhere it changes nothing.
func TestUseIsNotedWhereItExtendsAToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Hour)
	r.start(t, nil)
	before := r.read(t)
	r.source.Used(t.Context(), before)
	if now := r.read(t); !now.Tokens.ExpiresAt.Equal(before.Tokens.ExpiresAt) {
		t.Error("use changed a token that it does not extend")
	}
	sliding := before
	sliding.Policy.AutoRenew = provider.AutoRenewSliding
	r.source.Used(t.Context(), sliding)
	if now := r.read(t); !now.Tokens.ExpiresAt.After(before.Tokens.ExpiresAt) || now.Generation != before.Generation {
		t.Errorf("it ends at %s, before at %s", now.Tokens.ExpiresAt, before.Tokens.ExpiresAt)
	}
}

// A hub that stops frees what it holds, so that others need not wait for it.
func TestAHubThatLeavesFreesItsLeases(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Hour)
	r.start(t, nil)
	if won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, r.source.Owner(), time.Hour); err != nil || !won {
		t.Fatal(won, err)
	}
	r.source.Leave()
	if won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, storetest.Enter(t, r.store, "another-replica"), time.Hour); err != nil || !won {
		t.Errorf("another replica waits: %t, %v", won, err)
	}
}

// A detached copy of a database spends nothing that belongs to its original.
func TestADetachedCopyRenewsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, -time.Minute)
	must(t, r.store.SetSetting(t.Context(), store.DetachedKey, `{"at":"2027-01-01T00:00:00Z","by":"anna"}`))
	r.start(t, nil)
	must(t, r.source.Recover(t.Context()))
	_, err := r.source.Renew(t.Context(), r.c.ID, 1)
	if refused := wantRefused(t, err, provider.Blocked, "detached copy"); !refused.Detached {
		t.Errorf("%+v", refused)
	}
	if len(r.arrived) != 0 {
		t.Error("the service was asked")
	}
}
