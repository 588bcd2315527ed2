package people

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// The methods of a login, as sessions and records name them.
const (
	ByPassword = "password"
	ByPasskey  = "passkey"
	ByOIDC     = "oidc"
	// byCode is a code that a signed-in person shows again.
	byCode = "code"
)

// Errors of logins, beside those of access.
var (
	// ErrOutdated is a login by what has been changed before it ended.
	ErrOutdated = act.Rule("the password, the role or the second factor was changed during the login; log in again")
	// ErrUsePasskey is a password that does not lead in, because the person's second
	// factor is a passkey.
	ErrUsePasskey = act.Rule("the second factor is a passkey; log in with it")
)

// Entered is a person who has logged in, or whose code is still expected.
type Entered struct {
	User peopledb.User
	// By is one of the By constants.
	By string
	// Session is the id of the new session; empty if a code is to come (LoginCode).
	Session string
}

// loginAct is a login; login is empty if no account has it.
func loginAct(login, by string) act.Act {
	return act.Act{Name: "person.login", On: person(login), Detail: []string{"by", by}}
}

// Login logs a person in by a password. devices are what Access.Device has made for the
// browser. Errors: access.ErrWrongLogin, access.TooManyError, ErrUsePasskey, ErrOutdated.
func (p *People) Login(ctx context.Context, login, password string, devices ...string) (Entered, error) {
	u, err := p.o.Access.Login(ctx, login, password, act.From(ctx).Address, devices...)
	if err != nil {
		return Entered{}, p.notIn(ctx, ByPassword, login, err)
	}
	if u.SecondFactor.On() {
		return Entered{User: u, By: ByPassword}, nil
	}
	instead, err := p.o.Access.PasskeyIsTheFactor(ctx, u)
	if err == nil && instead {
		err = ErrUsePasskey
	}
	if err != nil {
		return Entered{}, p.notIn(ctx, ByPassword, login, err)
	}
	return p.enter(ctx, u, ByPassword, time.Now())
}

// LoginCode ends the login of a person of whom a code was to come: by and digest are what
// the first step was, and what it was judged by (access.LoginDigest). Errors:
// access.ErrWrongCode, access.TooManyError, ErrOutdated.
func (p *People) LoginCode(ctx context.Context, userID, by, digest, code string, devices ...string) (Entered, error) {
	u, err := p.o.Access.SecondLogin(ctx, userID, code, act.From(ctx).Address, devices...)
	if err == nil && access.LoginDigest(u) != digest {
		err = ErrOutdated
	}
	if err != nil {
		who, _ := p.o.Store.People.User(ctx, userID) // without a name it is recorded all the same
		return Entered{}, p.notIn(ctx, by, who.Login, err)
	}
	return p.enter(ctx, u, by, provedBy(by))
}

// LoginPasskey logs a person in by a passkey: pending is what Passkeys.BeginLogin had kept.
// Errors: those of access.Passkeys.Login, ErrOutdated.
func (p *People) LoginPasskey(ctx context.Context, pending, answer []byte, devices ...string) (Entered, error) {
	u, err := p.o.Passkeys.Login(ctx, pending, answer, act.From(ctx).Address, devices...)
	if err != nil {
		return Entered{}, p.notIn(ctx, ByPasskey, "", err)
	}
	return p.enter(ctx, u, ByPasskey, time.Now())
}

// provedBy is when a login of now has shown that it is the person: the sign-in service may
// have asked for nothing.
func provedBy(by string) time.Time {
	if by == ByOIDC {
		return time.Time{}
	}
	return time.Now()
}

// notIn records a login that did not come about, and returns its error.
func (p *People) notIn(ctx context.Context, by, login string, err error) error {
	if uncounted(ctx, err) {
		return err
	}
	known, lookErr := p.o.Access.KnownLogin(ctx, login)
	return p.o.Recorder.Attempted(ctx, loginAct(known, by), errors.Join(err, lookErr))
}

// enter begins the session of a person who has shown that it is them.
func (p *People) enter(ctx context.Context, u peopledb.User, by string, proved time.Time) (Entered, error) {
	from, now := act.From(ctx), time.Now()
	s := peopledb.UserSession{ID: store.NewID(), UserID: u.ID, CreatedAt: now, SeenAt: now, ProvedAt: proved, Address: from.Address, Agent: from.Browser}
	ctx = act.With(ctx, act.Person(u, from.Address, from.Browser))
	err := p.o.Recorder.Change(ctx, loginAct(u.Login, by), func(ctx context.Context, _ *act.Entry) error {
		if err := p.isCurrent(ctx, u); err != nil {
			return err
		}
		return p.o.Store.People.CreateUserSession(ctx, s)
	})
	return Entered{User: u, By: by, Session: s.ID}, err
}

// isCurrent fails for a person who was changed between the check of what they showed and
// now, and keeps them from being changed before the session is there: a change of a
// password ends the sessions that there are.
func (p *People) isCurrent(ctx context.Context, u peopledb.User) error {
	_, err := p.o.Store.People.ChangeUser(ctx, u.ID, access.RoleOwner, func(now *peopledb.User) error {
		if access.LoginDigest(*now) != access.LoginDigest(u) {
			return ErrOutdated
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return ErrOutdated
	}
	return err
}
