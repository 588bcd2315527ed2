package connections

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/testcall"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// notRenewedError is a renewal that was sent and brought no new token.
type notRenewedError struct{ failure *connection.Failure }

// Error implements error.
func (e *notRenewedError) Error() string {
	if e.failure == nil {
		return "there is no new token"
	}
	return e.failure.Message
}

// Refusal reports whether the service said no.
func (e *notRenewedError) Refusal() bool {
	return e.failure != nil && e.failure.Kind != provider.Transient && e.failure.Kind != provider.Internal
}

// Renew renews a connection now. after may show a failure, with the generation that it had
// before: no error is returned then, and the record has it. Errors: those of
// tokensource.Source.Ask, store.ErrNotFound.
func (x *Connections) Renew(ctx context.Context, w Which) (before, after connection.Connection, err error) {
	return x.renew(ctx, about("connection.renew", access.ActOperate, w), w)
}

// TryOnce is Renew for a grant that may be behind a backup, after a person's decision.
func (x *Connections) TryOnce(ctx context.Context, w Which) (before, after connection.Connection, err error) {
	return x.renew(ctx, about("connection.try_once", access.ActManage, w), w)
}

func (x *Connections) renew(ctx context.Context, a act.Act, w Which) (before, after connection.Connection, err error) {
	return x.renewBy(ctx, a, w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return x.o.Source.Ask(ctx, c, tokensource.UsualWait)
	})
}

func (x *Connections) renewBy(ctx context.Context, a act.Act, w Which, ask func(context.Context, connection.Connection) (connection.Connection, error)) (before, after connection.Connection, err error) {
	err = x.o.Recorder.Ask(ctx, a, func(ctx context.Context, _ *act.Entry) (err error) {
		if before, err = x.find(ctx, w); err != nil {
			return err
		}
		after, err = ask(ctx, before)
		if err == nil && after.Generation == before.Generation {
			err = &notRenewedError{after.Failure}
		}
		return err
	})
	if _, sent := errors.AsType[*notRenewedError](err); sent {
		err = nil
	}
	return before, after, err
}

// GiveUp ends a grant that is behind a backup without trying it, so that links are sent to
// authorize it again. Errors: tokensource.ErrNewer, store.ErrNotFound.
func (x *Connections) GiveUp(ctx context.Context, w Which) error {
	return x.o.Recorder.Ask(ctx, about("connection.send_links", access.ActManage, w), func(ctx context.Context, _ *act.Entry) error {
		decided, err := x.o.Store.Replicas.DecidedBehind(ctx, w.ID, replicadb.DecideSendLinks)
		if err != nil {
			return err
		}
		return x.o.Source.GiveUp(ctx, w.ID, decided)
	})
}

// Revoke gives a grant back: at the service if it can, and in the hub always. Errors:
// store.ErrNotFound.
func (x *Connections) Revoke(ctx context.Context, w Which) (before connection.Connection, revoked catalogue.Revoked, err error) {
	err = x.o.Recorder.Ask(ctx, about("connection.revoke", access.ActManage, w), func(ctx context.Context, e *act.Entry) (err error) {
		if before, err = x.find(ctx, w); err == nil {
			revoked, err = x.o.Catalogue.Revoke(ctx, before.ID)
		}
		if err == nil {
			e.Add("grant", revoked.Word())
		}
		return err
	})
	return before, revoked, err
}

// Codes are the access codes of a connection, renewed if they would not live for minTTL;
// with the refresh token if that is wanted. Errors: *tokensource.RefusedError and others of
// a pull, store.ErrNotFound.
func (x *Connections) Codes(ctx context.Context, w Which, minTTL time.Duration, withRefreshToken bool) (codes connection.AccessCodes, err error) {
	a := about("connection.codes", access.ActCodes, w, "refresh_token", strconv.FormatBool(withRefreshToken))
	err = x.o.Recorder.Ask(ctx, a, func(ctx context.Context, _ *act.Entry) (err error) {
		codes, err = x.codes(ctx, w, minTTL, withRefreshToken)
		return err
	})
	return codes, err
}

// CodesAgain is Codes for a page that is shown to who has just asked for them: that they
// were asked for is recorded, and a reload is no other act. Errors: act.ErrNotAllowed, and
// those of Codes.
func (x *Connections) CodesAgain(ctx context.Context, w Which, minTTL time.Duration, withRefreshToken bool) (connection.AccessCodes, error) {
	if !act.From(ctx).May(access.ActCodes) {
		return connection.AccessCodes{}, act.ErrNotAllowed
	}
	return x.codes(ctx, w, minTTL, withRefreshToken)
}

func (x *Connections) codes(ctx context.Context, w Which, minTTL time.Duration, withRefreshToken bool) (codes connection.AccessCodes, err error) {
	c, s, err := x.Find(ctx, w)
	if err != nil {
		return codes, err
	}
	pulled, err := x.o.Source.Serve(ctx, c, minTTL, tokensource.UsualWait)
	if err != nil {
		return codes, err
	}
	return pulled.Connection.Codes(time.Now(), s.Provider, s.ClientID, withRefreshToken), nil
}

// noAnswerError is a test call that got no answer.
type noAnswerError string

// Error implements error.
func (e noAnswerError) Error() string { return string(e) }

// Test makes a call that the provider declares, with the current token; an empty name is
// the first one. Errors: those of testcall.Caller.Call, store.ErrNotFound.
func (x *Connections) Test(ctx context.Context, w Which, call string) (answer *testcall.Answer, err error) {
	err = x.o.Recorder.Ask(ctx, about("connection.test", access.ActOperate, w), func(ctx context.Context, e *act.Entry) error {
		c, err := x.find(ctx, w)
		if err == nil {
			answer, err = x.o.TestCalls.Call(ctx, c, call)
		}
		if err != nil {
			return err
		}
		e.Add("call", answer.Call, "status", strconv.Itoa(answer.Status))
		if answer.Failure != "" {
			return noAnswerError(answer.Failure)
		}
		return nil
	})
	if _, asked := errors.AsType[noAnswerError](err); asked {
		err = nil
	}
	return answer, err
}
