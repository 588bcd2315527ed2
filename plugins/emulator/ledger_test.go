package emulator_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// clock is a time that a test moves.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(1_800_000_000+c.seconds.Load(), 0) }

func (c *clock) pass(d time.Duration) { c.seconds.Add(int64(d.Seconds())) }

func TestASecretThatIsGoodOnceIsGivenToOneOfManyCallers(t *testing.T) {
	ledger := emulator.NewLedger(new(clock).now)
	grant := ledger.Open(emulator.Grant{ClientID: "c"})
	ledger.Issue(emulator.Refresh, "r", time.Hour, grant.ID)
	var won atomic.Int32
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if _, state := ledger.Spend(emulator.Refresh, "r"); state == emulator.Valid {
				won.Add(1)
			}
		})
	}
	callers.Wait()
	if won.Load() != 1 || ledger.Spent() != 19 {
		t.Errorf("%d callers won and %d were counted as reuse, want 1 and 19", won.Load(), ledger.Spent())
	}
}

func TestTokenStateTellsWhyATokenIsRefused(t *testing.T) {
	var time1 clock
	ledger := emulator.NewLedger(time1.now)
	grant := ledger.Open(emulator.Grant{ClientID: "c"})
	for _, token := range []string{"fresh", "extended", "old", "replaced"} {
		ledger.Issue(emulator.Access, token, time.Minute, grant.ID)
	}
	ledger.Issue(emulator.Access, "eternal", 0, grant.ID)
	ledger.Spend(emulator.Access, "replaced")
	other := ledger.Open(emulator.Grant{ClientID: "c"})
	ledger.Issue(emulator.Access, "withdrawn", time.Minute, other.ID)
	ledger.RevokeGrant(other.ID)
	time1.pass(30 * time.Second)
	ledger.Extend(emulator.Access, "extended", time.Minute)
	ledger.Issue(emulator.Access, "fresh", time.Minute, grant.ID)
	time1.pass(30 * time.Second)
	for token, want := range map[string]emulator.State{
		"fresh": emulator.Valid, "extended": emulator.Valid, "eternal": emulator.Valid, "old": emulator.Expired,
		"replaced": emulator.Revoked, "withdrawn": emulator.Revoked, "made up": emulator.Unknown,
	} {
		if got := ledger.TokenState(token); got != want {
			t.Errorf("%s: %s, want %s", token, got, want)
		}
	}
	if grants := ledger.Grants(); len(grants) != 2 || !grants[1].Revoked || grants[0].Revoked {
		t.Errorf("grants %+v, want the second of two revoked", grants)
	}
}

func TestTheOldestTokensDieWhenThereAreTooMany(t *testing.T) {
	ledger := emulator.NewLedger(new(clock).now)
	anna, boris := emulator.Account{ID: 1}, emulator.Account{ID: 2}
	for _, token := range []string{"1", "2", "3"} {
		grant := ledger.Open(emulator.Grant{ClientID: "c", Account: anna})
		ledger.Issue(emulator.Refresh, token, time.Hour, grant.ID)
	}
	ledger.Issue(emulator.Refresh, "his", time.Hour, ledger.Open(emulator.Grant{ClientID: "c", Account: boris}).ID)
	ledger.KeepNewest(emulator.Refresh, "c", anna, 2)
	for token, want := range map[string]emulator.State{
		"1": emulator.Revoked, "2": emulator.Valid, "3": emulator.Valid, "his": emulator.Valid,
	} {
		if _, _, got := ledger.Look(emulator.Refresh, token); got != want {
			t.Errorf("%s: %s, want %s", token, got, want)
		}
	}
}
