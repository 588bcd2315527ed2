package connection_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestEachAuthorizationBeginsALineageThatRenewalsContinue(t *testing.T) {
	c := granted(rotating, token(time.Hour, "r1"))
	first := c.Lineage
	if first == "" {
		t.Fatal("a grant has no lineage")
	}
	later := start.Add(time.Hour)
	for name, next := range map[string]connection.Connection{
		"renewed": c.Renewed(later, later, token(time.Hour, "r2")), "paused": c.Paused(later), "resumed": c.Paused(later).Resumed(later),
		"failed":   c.Failed(later, c.Generation, provider.Errorf(provider.Transient, "", "away")),
		"restored": c.Restored(later, connection.PastSet{Generation: 0, Tokens: c.Tokens}),
	} {
		if next.Lineage != first {
			t.Errorf("%s: lineage %q, want %q", name, next.Lineage, first)
		}
	}
	revoked := c.Revoked(later)
	if revoked.Lineage != "" {
		t.Errorf("a grant that was given back has the lineage %q", revoked.Lineage)
	}
	again := revoked.Granted(later, later, token(time.Hour, "r1"), provider.Account{}, nil)
	over := c.Granted(later, later, token(time.Hour, "r1"), provider.Account{}, nil)
	if again.Lineage == "" || over.Lineage == "" || again.Lineage == first || over.Lineage == first {
		t.Errorf("lineages %q and %q after %q", again.Lineage, over.Lineage, first)
	}
	if same := granted(rotating, token(time.Hour, "r1")); same.Lineage != first {
		t.Errorf("the same grant has the lineages %q and %q", first, same.Lineage)
	}
}

func TestARowIsBroughtForwardOnlyInItsOwnLineage(t *testing.T) {
	old := granted(rotating, token(time.Hour, "r1"))
	now := start.Add(2 * time.Hour)
	renewed := old.Renewed(start.Add(time.Hour), start.Add(time.Hour), token(time.Hour, "r2"))
	ahead := connection.Ahead{Lineage: renewed.Lineage, Generation: renewed.Generation, Tokens: renewed.Tokens, RenewedAt: renewed.RenewedAt}
	refused := old.Failed(now, old.Generation, provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "spent"))
	for name, tt := range map[string]struct {
		row  connection.Connection
		want connection.State
	}{
		"active": {old, connection.StateActive}, "paused": {old.Paused(now), connection.StatePaused}, "ended": {refused, connection.StateActive},
	} {
		got := tt.row.BroughtForward(now, ahead)
		if !tt.row.Behind(ahead) || got.Generation != 2 || got.Tokens.RefreshToken != "r2" || got.State != tt.want || got.Failure != nil || !got.RenewedAt.Equal(renewed.RenewedAt) {
			t.Errorf("%s: generation %d, %s, failure %v", name, got.Generation, got.State, got.Failure)
		}
		if (tt.want == connection.StateActive) == got.Due.IsZero() {
			t.Errorf("%s: due at %s", name, got.Due)
		}
	}
	other, older := ahead, ahead
	other.Lineage, older.Generation = "other", 1
	unnamed := old
	unnamed.Lineage = ""
	for name, tt := range map[string]struct {
		row   connection.Connection
		ahead connection.Ahead
	}{
		"another authorization": {old, other}, "not newer": {old, older}, "the same": {renewed, ahead},
		"given back": {old.Revoked(now), ahead}, "no lineage": {unnamed, connection.Ahead{Generation: 9}},
	} {
		if got := tt.row.BroughtForward(now, tt.ahead); tt.row.Behind(tt.ahead) || got.Generation != tt.row.Generation {
			t.Errorf("%s: brought to generation %d", name, got.Generation)
		}
	}
}
