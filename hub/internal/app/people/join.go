package people

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Setup makes the first owner by a set-up link, and logs them in. Errors:
// access.ErrSetupDone, access.ErrEmptyLogin, access.ErrWeakPassword, access.TooManyError.
func (p *People) Setup(ctx context.Context, token, login, name, password, lang string) (Entered, error) {
	var u peopledb.User
	a := act.Act{Name: "person.setup", On: person("")}
	err := p.o.Recorder.Prepared(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		open, err := p.o.Access.SetupOpen(ctx, token)
		if err == nil && !open {
			e.Unchanged() // whoever has no link is nobody
			err = access.ErrSetupDone
		}
		if err != nil {
			return err
		}
		u, err = p.o.Access.NewPerson(ctx, login, name, password, lang)
		return checked(ctx, e, err)
	}, func(ctx context.Context, e *act.Entry) (err error) {
		u, err = p.o.Access.Setup(ctx, token, u)
		e.Named(u.Login)
		return err
	})
	if err != nil {
		return Entered{}, err
	}
	return p.enter(ctx, u, ByPassword, time.Now())
}

// Accept makes the person of an invitation, and logs them in. Errors:
// access.ErrInvitation, access.ErrLoginTaken, access.ErrWeakPassword, access.TooManyError.
func (p *People) Accept(ctx context.Context, token, name, password, lang string) (Entered, error) {
	var u peopledb.User
	a := act.Act{Name: "person.accept", On: person("")}
	err := p.o.Recorder.Prepared(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		i, err := p.o.Access.Invitation(ctx, token)
		if err != nil {
			e.Unchanged() // whoever has no link is nobody
			return err
		}
		e.Named(i.Login)
		e.Add("role", i.Role)
		u, err = p.o.Access.NewPerson(ctx, i.Login, name, password, lang)
		return checked(ctx, e, err)
	}, func(ctx context.Context, _ *act.Entry) (err error) {
		u, err = p.o.Access.Accept(ctx, token, u)
		return err
	})
	if err != nil {
		return Entered{}, err
	}
	return p.enter(ctx, u, ByPassword, time.Now())
}

// Federated is what a browser brought back from the sign-in service.
type Federated struct {
	Answer  access.OIDCAnswer
	Pending access.OIDCPending
	// Fresh is set if the service was asked to authenticate the person anew: one who was
	// authenticated within Within has shown that it is them.
	Fresh  bool
	Within time.Duration
	// Lang is the language of a person who comes for the first time.
	Lang string
}

// LoginFederated logs a person in by the sign-in service; a code may still be to come. Who
// comes for the first time becomes a person of the hub before. Errors: access.ErrOIDCAway,
// access.ErrOIDCRefused, access.ErrUnknownPerson, ErrOutdated.
func (p *People) LoginFederated(ctx context.Context, f Federated) (Entered, access.Identity, error) {
	who, err := p.o.OIDC.Finish(ctx, f.Answer, f.Pending)
	if err != nil && f.Pending.State == "" {
		return Entered{}, who, err // nobody has begun it here
	}
	if err != nil {
		return Entered{}, who, p.notIn(ctx, ByOIDC, "", err)
	}
	u, known, err := p.o.Access.FederatedPerson(ctx, who)
	if err == nil && !known {
		if u, err = p.join(ctx, who, f.Lang); err != nil {
			return Entered{}, who, err
		}
	}
	if err == nil {
		u, err = p.o.Access.FederatedLogin(ctx, u)
	}
	switch {
	case err != nil:
		return Entered{}, who, p.notIn(ctx, ByOIDC, u.Login, err)
	case u.SecondFactor.On():
		return Entered{User: u, By: ByOIDC}, who, nil
	}
	proved := time.Time{}
	if f.Fresh && time.Since(who.AuthenticatedAt) < f.Within {
		proved = who.AuthenticatedAt
	}
	in, err := p.enter(ctx, u, ByOIDC, proved)
	return in, who, err
}

// join creates the account of a person whom the sign-in service has authenticated.
func (p *People) join(ctx context.Context, who access.Identity, lang string) (u peopledb.User, err error) {
	known, err := p.o.Access.KnownLogin(ctx, who.Email)
	if err != nil {
		return u, err
	}
	a := act.Act{Name: "person.join", On: person(known), Detail: []string{"by", ByOIDC}}
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if u, err = p.o.Access.FederatedJoin(ctx, who, p.o.JoinAs, lang); err != nil {
			return err
		}
		e.Named(u.Login)
		e.Add("role", u.Role)
		return nil
	})
	return u, err
}
