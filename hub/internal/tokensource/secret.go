package tokensource

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/provider"
)

// codeInvalidClient says that client authentication failed, so that nothing of the request
// was processed (RFC 6749 section 5.2): the refresh token is not spent.
const codeInvalidClient = "invalid_client"

// refusesClient reports whether a failure is the service's refusal of the client itself.
func refusesClient(failure *provider.Error) bool {
	return failure.Kind == provider.Blocked && strings.EqualFold(failure.Code, codeInvalidClient)
}

// otherSecret returns the service of an operation with its other client secret, if the
// renewal may be sent once more with it: the service itself has answered invalid_client to
// its only request, no earlier request of this refresh token has an unknown outcome, and
// the other secret was not tried in this renewal.
func (s *Source) otherSecret(f *flight, c connection.Connection, op *operation.Op, out operation.Outcome, err error) (service.Service, bool) {
	if err == nil || f == nil || f.secondSecret || f.abandoned || c.Failure != nil && c.Failure.Uncertain {
		return op.Service, false
	}
	failure := failureOf(err)
	answered := out.Sent && out.Answered && !out.LostOnTheWay && !out.PluginFailed && len(out.Replies) == 1
	if !answered || !refusesClient(failure) || failure.RefreshToken != "" {
		return op.Service, false
	}
	return op.Service.WithOther(s.Now())
}

// tryOtherSecret renews with the service's other client secret, after the intent of the
// refused request. It is an operation of its own with its own intent: a hub that dies
// between the two has either the refusal in its journal or nothing in flight, and the
// refresh token is not spent in either case. begun is false if nothing was begun; the
// refusal is then to be saved.
func (s *Source) tryOtherSecret(ctx context.Context, f *flight, c connection.Connection, svc service.Service, refused renewaldb.Intent) (begun bool, _ connection.Connection, err error) {
	p, err := s.enter(ctx, svc.ID)
	if err != nil {
		return false, c, nil // the refusal is what is saved
	}
	defer p.end()
	f.secondSecret = true
	crashpoint.At(crashpoint.SecretRefused)
	if err := s.store.Renewals.DropIntent(ctx, refused.ID); err != nil {
		return false, c, nil // as above; its save drops the intent
	}
	s.runner.Done(refused.ID)
	crashpoint.At(crashpoint.BetweenSecrets)
	intent, err := s.begin(ctx, c, svc)
	if errors.Is(err, store.ErrStale) {
		return true, c, err
	}
	if err != nil {
		return false, c, nil // as above
	}
	tracing.Log(ctx, s.log).Warn("service refused the client secret, trying the other one once", "connection", c.Name, "service", svc.Name)
	c, err = s.send(ctx, f, c, svc, intent, p)
	return true, c, err
}

// secretWorksTimeout bounds how long it may take to make a secret the current one.
const secretWorksTimeout = time.Minute

// secretWorked has the secret made current with which a renewal has succeeded after the
// first one was refused. It does not wait: the tokens do not depend on it, and without it
// the next renewal finds out again.
func (s *Source) secretWorked(f *flight, svc service.Service) {
	if f == nil || !f.secondSecret {
		return
	}
	s.work.Go(func() {
		ctx, cancel := context.WithTimeout(s.life, secretWorksTimeout)
		defer cancel()
		if err := s.works(ctx, svc); err != nil && ctx.Err() == nil {
			s.log.Warn("make the working client secret the current one failed, the next renewal tries again", "service", svc.Name, "error", err)
		}
	})
}

// bothRefused is a failure that says so where both client secrets were refused.
func bothRefused(f *flight, failure *provider.Error) *provider.Error {
	if f == nil || !f.secondSecret || !refusesClient(failure) {
		return failure
	}
	both := *failure
	both.Message = strings.TrimSpace("both client secrets were refused: " + failure.Message)
	return &both
}
