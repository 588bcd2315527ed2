package people

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Logout ends a session of the signed-in person.
func (p *People) Logout(ctx context.Context, session string) error {
	return p.o.Recorder.Change(ctx, self(ctx, act.Act{Name: "person.logout"}), func(ctx context.Context, _ *act.Entry) error {
		return p.o.Store.People.EndUserSessions(ctx, act.From(ctx).UserID, session, "")
	})
}

// EndSession ends another session of the signed-in person.
func (p *People) EndSession(ctx context.Context, session string) error {
	a := self(ctx, act.Act{Name: "person.end_session", Detail: []string{"session", session}})
	return p.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		return p.o.Store.People.EndUserSessions(ctx, act.From(ctx).UserID, session, "")
	})
}

// EndOtherSessions ends all sessions of the signed-in person but one.
func (p *People) EndOtherSessions(ctx context.Context, but string) error {
	return p.o.Recorder.Change(ctx, self(ctx, act.Act{Name: "person.end_sessions"}), func(ctx context.Context, _ *act.Entry) error {
		return p.o.Store.People.EndUserSessions(ctx, act.From(ctx).UserID, "", but)
	})
}

// SetLang sets the language of the signed-in person.
func (p *People) SetLang(ctx context.Context, lang string) error {
	a := self(ctx, act.Act{Name: "person.language", Detail: []string{"lang", lang}})
	return p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		u, err := p.me(ctx)
		if err != nil {
			return err
		}
		if u.Lang == lang {
			e.Unchanged()
			return nil
		}
		return p.o.Store.People.SetLang(ctx, u.ID, lang, time.Now())
	})
}

// ChangePassword replaces the password of the signed-in person, who shows the present one,
// and ends their other sessions than the one that is named. Errors: access.ErrWrongLogin,
// access.ErrWeakPassword, access.TooManyError.
func (p *People) ChangePassword(ctx context.Context, session, present, next string) error {
	id := act.From(ctx).UserID
	var was, hash string
	a := self(ctx, act.Act{Name: "person.password"})
	return p.o.Recorder.Prepared(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		was, hash, err = p.o.Access.NextPassword(ctx, id, present, next)
		return checked(ctx, e, err)
	}, func(ctx context.Context, _ *act.Entry) error {
		if err := p.o.Access.ChangePassword(ctx, id, was, hash); err != nil {
			return err
		}
		return p.o.Store.People.EndUserSessions(ctx, id, "", session)
	})
}

// Confirm has the signed-in person of a session show once more that it is them: by a code
// if they have codes, else by the password. Errors: access.ErrWrongLogin,
// access.ErrWrongCode, access.TooManyError.
func (p *People) Confirm(ctx context.Context, session, password, code string, devices ...string) error {
	a := self(ctx, act.Act{Name: "person.confirm"})
	return p.o.Recorder.Prepared(ctx, a, func(ctx context.Context, e *act.Entry) error {
		u, err := p.me(ctx)
		if err != nil {
			return err
		}
		from := act.From(ctx).Address
		if u.SecondFactor.On() {
			e.Add("by", byCode)
			_, err = p.o.Access.SecondLogin(ctx, u.ID, code, from, devices...)
			return checked(ctx, e, err)
		}
		e.Add("by", ByPassword)
		who, err := p.o.Access.Login(ctx, u.Login, password, from, devices...)
		if err == nil && who.ID != u.ID {
			err = access.ErrWrongLogin
		}
		return checked(ctx, e, err)
	}, func(ctx context.Context, _ *act.Entry) error {
		return p.o.Store.People.NoteProof(ctx, session, time.Now())
	})
}

// ConfirmSecondFactor has codes of a new secret required at each login of the signed-in
// person, who shows one. It returns recovery codes, which are shown once. Errors:
// access.ErrWrongCode.
func (p *People) ConfirmSecondFactor(ctx context.Context, secret []byte, code string) (recovery []string, err error) {
	a := self(ctx, act.Act{Name: "person.second_factor"})
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) (err error) {
		recovery, err = p.o.Access.ConfirmSecondFactor(ctx, act.From(ctx).UserID, secret, code)
		return err
	})
	return recovery, err
}

// DropSecondFactor requires a password alone of the signed-in person, who shows it. Errors:
// access.ErrWrongLogin, access.TooManyError.
func (p *People) DropSecondFactor(ctx context.Context, present string) error {
	id := act.From(ctx).UserID
	var was string
	a := self(ctx, act.Act{Name: "person.drop_second_factor"})
	return p.o.Recorder.Prepared(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		was, err = p.o.Access.CheckPresent(ctx, id, present)
		return checked(ctx, e, err)
	}, func(ctx context.Context, _ *act.Entry) error {
		return p.o.Access.DropSecondFactor(ctx, id, was)
	})
}

// AddPasskey keeps a passkey of the signed-in person: pending is what Passkeys.BeginAdd had
// kept. Errors: those of access.Passkeys.Add.
func (p *People) AddPasskey(ctx context.Context, pending, answer []byte, title string) (added peopledb.Passkey, err error) {
	a := self(ctx, act.Act{Name: "person.passkey_add"})
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		u, err := p.me(ctx)
		if err != nil {
			return err
		}
		if added, err = p.o.Passkeys.Add(ctx, u, pending, answer, title); err != nil {
			return err
		}
		e.Add("passkey", added.Title)
		return nil
	})
	return added, err
}

// RemovePasskey removes a passkey of the signed-in person. Errors: store.ErrNotFound.
func (p *People) RemovePasskey(ctx context.Context, id string) (removed peopledb.Passkey, err error) {
	a := self(ctx, act.Act{Name: "person.passkey_remove"})
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if removed, err = p.o.Store.People.DeletePasskey(ctx, act.From(ctx).UserID, id); err != nil {
			return err
		}
		e.Add("passkey", removed.Title)
		return nil
	})
	return removed, err
}
