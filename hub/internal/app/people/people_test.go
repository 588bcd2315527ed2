package people_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

const password = "correct horse battery"

func TestEveryActIsRecorded(t *testing.T) {
	apptest.EveryActIsRecorded(t, "People", "Overview", "Users", "Nobody", "Stands", "Present", "NoteUse", "Sessions", "SessionRows", "Passkeys", "HasCalendar", "CalendarOpens")
}

// hub is a hub with an owner who has logged in.
type hub struct {
	*people.People
	st     *store.Store
	access *access.Access
	owner  people.Entered
}

func (h hub) as(t *testing.T, in people.Entered) context.Context {
	t.Helper()
	return apptest.As(t, in.User.Login, in.User.ID, in.User.Role)
}

// stranger is a context of somebody who is not logged in.
func stranger(t *testing.T, address string) context.Context {
	t.Helper()
	return act.With(t.Context(), act.Link(audit.KindPerson, "", address, "a browser"))
}

func each(t *testing.T, test func(t *testing.T, h hub)) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a := access.New(st)
		h := hub{st: st, access: a, People: people.New(people.Options{Store: st, Access: a, Recorder: apptest.Recorder(st), Passkeys: a.Passkeys("https://hub.example.test")})}
		token, err := a.SetupToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if h.owner, err = h.Setup(stranger(t, "192.0.2.1"), token, "owner", "", password, "en"); err != nil {
			t.Fatal(err)
		}
		test(t, h)
	})
}

func (h hub) join(t *testing.T, login, role string) people.Entered {
	t.Helper()
	token, _, err := h.Invite(h.as(t, h.owner), login, role)
	if err != nil {
		t.Fatal(err)
	}
	in, err := h.Accept(stranger(t, "192.0.2.1"), token, "", password, "en")
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestPeopleComeAndAreRecorded(t *testing.T) {
	each(t, func(t *testing.T, h hub) {
		in := h.join(t, "ann", access.RoleAdministrator)
		if u, _, err := h.Present(t.Context(), in.Session, in.User.CreatedAt); err != nil || u.Login != "ann" {
			t.Errorf("signed in is %q: %v", u.Login, err)
		}
		apptest.Want(t, h.st, "person.setup done owner", "owner person.login done owner", "owner person.invite done ann", "person.accept done ann", "ann person.login done ann")
		// Whoever has no link is nobody, and leaves nothing.
		before := len(apptest.Records(t, h.st))
		if _, err := h.Setup(stranger(t, "192.0.2.1"), "no link", "eve", "", password, ""); !errors.Is(err, access.ErrSetupDone) {
			t.Error(err)
		}
		if _, err := h.Accept(stranger(t, "192.0.2.1"), "no link", "", password, ""); !errors.Is(err, access.ErrInvitation) {
			t.Error(err)
		}
		if after := len(apptest.Records(t, h.st)); after != before {
			t.Errorf("%d records more", after-before)
		}
	})
}

func TestALoginThatIsRefusedIsRecordedWithoutWhatWasTyped(t *testing.T) {
	each(t, func(t *testing.T, h hub) {
		const typed = "my secret, typed into the wrong field"
		for login, want := range map[string]string{"OWNER ": "person.login refused owner", typed: "person.login refused"} {
			if _, err := h.Login(stranger(t, "192.0.2.9"), login, "a wrong guess"); !errors.Is(err, access.ErrWrongLogin) {
				t.Fatal(err)
			}
			apptest.Want(t, h.st, want)
		}
		if said := strings.Join(apptest.Records(t, h.st), "\n"); strings.Contains(said, typed) {
			t.Errorf("what was typed is in the record:\n%s", said)
		}
	})
}

func TestGuessesAreCountedThoughTheLoginIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h hub) {
		tooMany := &access.TooManyError{}
		var err error
		guesses := 0
		for ; guesses < 50 && !errors.As(err, &tooMany); guesses++ {
			_, err = h.Login(stranger(t, "192.0.2.9"), "owner", "a wrong guess")
		}
		if !errors.As(err, &tooMany) {
			t.Fatal("guesses are not counted")
		}
		refused := 0
		for _, r := range apptest.Records(t, h.st) {
			if r == "person.login refused owner" {
				refused++
			}
		}
		if refused != guesses-1 { // the one that was turned away was not checked
			t.Errorf("%d of %d guesses are recorded", refused, guesses-1)
		}
	})
}

func TestALoginEndsWithAChangeOfThePerson(t *testing.T) {
	each(t, func(t *testing.T, h hub) {
		secret, _ := access.NewSecondFactor("owner")
		codes, err := h.access.ConfirmSecondFactor(t.Context(), h.owner.User.ID, secret, codeOf(secret))
		if err != nil {
			t.Fatal(err)
		}
		in, err := h.Login(stranger(t, "192.0.2.1"), "owner", password)
		if err != nil || in.Session != "" {
			t.Fatalf("logged in without a code: %+v %v", in, err)
		}
		digest := access.LoginDigest(in.User)
		if _, err := h.LoginCode(stranger(t, "192.0.2.1"), in.User.ID, in.By, digest, "123456789"); !errors.Is(err, access.ErrWrongCode) {
			t.Error(err)
		}
		if _, err := h.LoginCode(stranger(t, "192.0.2.1"), in.User.ID, in.By, "another", codes[0]); !errors.Is(err, people.ErrOutdated) {
			t.Error(err)
		}
		if in, err = h.LoginCode(stranger(t, "192.0.2.1"), in.User.ID, in.By, digest, codes[1]); err != nil || in.Session == "" {
			t.Errorf("%+v %v", in, err)
		}
		apptest.Want(t, h.st, "person.login refused owner", "person.login refused owner", "owner person.login done owner")
	})
}

func TestWhoManagesOthersIsRecordedWithWhatWasWithdrawn(t *testing.T) {
	each(t, func(t *testing.T, h hub) {
		ann := h.join(t, "ann", access.RoleAdministrator)
		owner := h.as(t, h.owner)
		if _, _, err := h.Invite(h.as(t, ann), "bob", access.RoleViewer); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Disable(h.as(t, ann), h.owner.User.ID); !errors.Is(err, access.ErrMayNot) {
			t.Error(err)
		}
		if _, err := h.Remove(owner, h.owner.User.ID); !errors.Is(err, peopledb.ErrLastOwner) {
			t.Error(err)
		}
		if _, err := h.Disable(owner, ann.User.ID); err != nil {
			t.Fatal(err)
		}
		apptest.Want(t, h.st, "ann person.disable refused owner", "owner person.remove refused owner", "owner person.withdraw done ann", "owner person.disable done ann")
		if _, _, err := h.Present(t.Context(), ann.Session, ann.User.CreatedAt); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("who was disabled is signed in: %v", err)
		}
		if _, err := h.Enable(owner, ann.User.ID); err != nil {
			t.Error(err)
		}
		if _, err := h.Remove(owner, ann.User.ID); err != nil {
			t.Error(err)
		}
		apptest.Want(t, h.st, "owner person.enable done ann", "owner person.remove done ann")
	})
}

func TestWhoMayNotManageIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h hub) {
		viewer := h.as(t, h.join(t, "eve", access.RoleViewer))
		key := act.With(t.Context(), act.Key(peopledb.APIKey{ID: "k", Title: "robot", Scopes: []string{access.ScopeAdmin}}, ""))
		if _, err := h.ChangeRole(viewer, h.owner.User.ID, access.RoleViewer); !errors.Is(err, act.ErrNotAllowed) {
			t.Error(err)
		}
		if _, err := h.Remove(key, h.owner.User.ID); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("an API key removed a person: %v", err)
		}
		if err := h.RequireSecondFactor(viewer, true); !errors.Is(err, act.ErrNotAllowed) {
			t.Error(err)
		}
		if _, err := h.MakeCalendar(viewer); !errors.Is(err, act.ErrNotAllowed) {
			t.Error(err)
		}
		if err := h.SetLang(t.Context(), "ru"); !errors.Is(err, act.ErrNotAllowed) {
			t.Error(err)
		}
		apptest.Want(t, h.st, "eve person.role refused "+h.owner.User.ID, "robot person.remove refused owner", "eve person.require_second_factor refused everybody", "eve calendar.make refused", "person.language refused")
	})
}

func TestWhatPeopleChangeAboutThemselves(t *testing.T) {
	each(t, func(t *testing.T, h hub) {
		owner := h.as(t, h.owner)
		other, err := h.Login(stranger(t, "192.0.2.2"), "owner", password)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.ChangePassword(owner, h.owner.Session, "a wrong guess", "another long one"); !errors.Is(err, access.ErrWrongLogin) {
			t.Error(err)
		}
		if err := h.ChangePassword(owner, h.owner.Session, password, "short"); !errors.Is(err, access.ErrWeakPassword) {
			t.Error(err)
		}
		if err := h.ChangePassword(owner, h.owner.Session, password, "another long one"); err != nil {
			t.Fatal(err)
		}
		if sessions, err := h.Sessions(owner, h.owner.User.ID); err != nil || len(sessions) != 1 || sessions[0].ID == other.Session {
			t.Errorf("sessions %+v: %v", sessions, err)
		}
		if err := h.Confirm(owner, h.owner.Session, password, ""); !errors.Is(err, access.ErrWrongLogin) {
			t.Error(err)
		}
		if err := errors.Join(h.Confirm(owner, h.owner.Session, "another long one", ""), h.SetLang(owner, "ru"), h.SetLang(owner, "ru"), h.Logout(owner, h.owner.Session)); err != nil {
			t.Error(err)
		}
		apptest.Want(t, h.st, "owner person.password refused owner", "owner person.password refused owner", "owner person.password done owner",
			"owner person.confirm refused owner", "owner person.confirm done owner", "owner person.language done owner", "owner person.logout done owner")
	})
}

func TestAnActThatFailsIsRecordedAndLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h hub) {
		gone, cancel := context.WithCancel(h.as(t, h.owner))
		cancel()
		if _, err := h.MakeCalendar(gone); err == nil {
			t.Fatal("a request that has ended made a calendar")
		}
		if has, err := h.HasCalendar(t.Context()); has || err != nil {
			t.Errorf("there is a calendar: %v", err)
		}
		secret, err := h.MakeCalendar(h.as(t, h.owner))
		if err != nil {
			t.Fatal(err)
		}
		if opens, err := h.CalendarOpens(t.Context(), secret); !opens || err != nil {
			t.Errorf("the calendar does not open: %v", err)
		}
		if err := errors.Join(h.WithdrawCalendar(h.as(t, h.owner)), h.WithdrawCalendar(h.as(t, h.owner))); err != nil {
			t.Error(err)
		}
		apptest.Want(t, h.st, "owner calendar.make failed", "owner calendar.make done", "owner calendar.withdraw done")
	})
}

// codeOf is the code of a secret now (RFC 6238).
func codeOf(secret []byte) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, time.Now().Unix()/30)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff)%1_000_000)
}
