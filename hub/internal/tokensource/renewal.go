package tokensource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/provider"
)

// maxAttempts bounds how often a renewal begins anew because another replica was
// faster: whose late save moves the generation ends it at the next look.
const maxAttempts = 5

// renew runs one renewal from the lease to the save. after is the generation
// that the caller has seen; a newer one ends the renewal at once.
func (s *Source) renew(ctx context.Context, f *flight, id string, after int64, force bool) (c connection.Connection, err error) {
	ctx, span := tracing.Start(ctx, "renew")
	defer func() { tracing.End(span, outcome(c, err)) }()
	for range maxAttempts {
		if c, err = s.renewOnce(ctx, f, id, after, force); !errors.Is(err, store.ErrStale) {
			break
		}
	}
	return c, err
}

func (s *Source) renewOnce(ctx context.Context, f *flight, id string, after int64, force bool) (connection.Connection, error) {
	taking, cancel := context.WithTimeout(ctx, s.lease)
	defer cancel()
	c, err := s.takeLease(taking, id, after)
	if err != nil || c.Generation > after {
		return c, err
	}
	return s.renewLeased(ctx, f, c, force)
}

// renewClaimed is renew for a connection that the scheduler has claimed, which provides
// its lease and its row in one. The claim may be stale; BeginIntent detects that, and the
// renewal starts again with a lease of its own.
func (s *Source) renewClaimed(ctx context.Context, f *flight, c connection.Connection) (renewed connection.Connection, err error) {
	ctx, span := tracing.Start(ctx, "renew when due")
	defer func() { tracing.End(span, outcome(renewed, err)) }()
	renewed, err = s.renewLeased(ctx, f, c, false)
	if errors.Is(err, store.ErrStale) {
		return s.renew(ctx, f, c.ID, c.Generation, false)
	}
	return renewed, err
}

// renewLeased renews a connection that was read under the lease, and gives the
// lease back: every save does, all other ends do it here.
func (s *Source) renewLeased(ctx context.Context, f *flight, c connection.Connection, force bool) (_ connection.Connection, err error) {
	saved := false
	defer func() {
		if !saved || err != nil {
			s.freeLease(c.ID)
		}
	}()
	now := s.Now()
	if f.paused {
		c = c.Awake() // a save leaves the row paused
	}
	may, _ := c.MayRenew(now)
	if !may && force {
		may, _ = c.MayRenewNow(now)
	}
	if may {
		saved = true
		if ahead, ok := s.ahead(ctx, c); ok {
			return s.catchUp(ctx, c, ahead)
		}
		if settled, c, err := s.settleEarly(ctx, c); settled || err != nil {
			return c, err
		}
		if why := s.holds(c); why != "" {
			if settled, c, err := s.settleKept(ctx, c); settled || err != nil {
				return c, err // nothing is sent
			}
			return s.holdBack(ctx, c, why)
		}
		defer s.keepLease(c.ID)()
		return s.refresh(ctx, f, c)
	}
	if !c.Renewable(now) {
		if settled, c, err := s.settleKept(ctx, c); settled || err != nil {
			return c, err
		}
	}
	if c.Due.IsZero() || c.Due.After(now) {
		return c, nil
	}
	// It is due but may not be renewed now: it must not be claimed again at once.
	c.Due, saved = c.NextDue(now), true
	return c, s.store.Renewals.SaveFailure(ctx, c, c.Generation, "", s.Owner())
}

// refresh spends the refresh token: a permit of the endpoint, intent, call, save.
// An intent that an earlier renewal left open is settled first.
func (s *Source) refresh(ctx context.Context, f *flight, c connection.Connection) (connection.Connection, error) {
	svc, err := s.store.Services.Service(ctx, c.ServiceID)
	if err != nil {
		return c, err
	}
	p, err := s.enter(ctx, svc.ID)
	if err != nil {
		return s.deferred(ctx, c, err)
	}
	defer p.end()
	for {
		intent, err := s.begin(ctx, c, svc)
		if errors.Is(err, store.ErrInUse) {
			f.abandoned = true
			settled, c, err := s.settle(ctx, c)
			if settled || err != nil {
				return c, err
			}
			continue
		}
		if err != nil {
			return c, err
		}
		return s.send(ctx, f, c, svc.At(intent.BegunAt), intent, p)
	}
}

// begin commits the intent of a renewal that begins now. Errors: store.ErrInUse if an
// earlier renewal left one open, store.ErrStale if lease or generation are lost.
func (s *Source) begin(ctx context.Context, c connection.Connection, svc service.Service) (renewaldb.Intent, error) {
	intent := s.newIntent(c, svc)
	crashpoint.At(crashpoint.BeforeIntent)
	err := s.store.Renewals.BeginIntent(ctx, intent)
	if errors.Is(err, store.ErrInUse) {
		return intent, err
	}
	if errors.Is(err, store.ErrFenced) {
		s.refound(ctx)
	}
	if err != nil {
		if !errors.Is(err, store.ErrStale) {
			s.dropUnsent(intent.ID)
		}
		return intent, fmt.Errorf("note the renewal of %s before it begins: %w", c.Name, err)
	}
	crashpoint.At(crashpoint.AfterIntent)
	return intent, nil
}

// send runs the operation of an intent that was just committed.
func (s *Source) send(ctx context.Context, f *flight, c connection.Connection, svc service.Service, intent renewaldb.Intent, p *permit) (connection.Connection, error) {
	op := &operation.Op{
		ID: intent.ID, Service: svc, Connection: c.ForProvider(), KeyIDs: c.Tokens.KeyIDs, Now: intent.BegunAt, Journaled: true, Meta: metaOf(intent),
		Fence: s.fence(intent), Received: s.secondCopy(intent),
	}
	p.watch(s, op, f, c.ID)
	return s.finish(ctx, f, c, op, intent, p)
}

// newIntent is the intent of a renewal that begins now.
func (s *Source) newIntent(c connection.Connection, svc service.Service) renewaldb.Intent {
	now := time.Now()
	var declared time.Duration
	if svc.Description != nil {
		declared = svc.Description.ExchangeTimeout
	}
	sendBy := now.Add(s.exchanger.SendWithin())
	version, sum := s.runner.Plugin(svc.Provider)
	return renewaldb.Intent{
		PluginVersion: version, PluginSum: sum,
		ID: store.NewID(), ConnectionID: c.ID, Generation: c.Generation, Fingerprint: Fingerprint(c.Tokens),
		Owner: s.Owner(), StartedAt: now, BegunAt: s.Now(), SendBy: sendBy, Deadline: sendBy.Add(s.exchanger.Budget(declared)),
	}
}

// finish runs the operation of an intent and saves what comes of it. The permit
// ends with the call: a save may take long. f is nil if only kept replies are read.
func (s *Source) finish(ctx context.Context, f *flight, c connection.Connection, op *operation.Op, intent renewaldb.Intent, p *permit) (connection.Connection, error) {
	begun, log := time.Now(), tracing.Log(ctx, s.log)
	token, out, err := s.runner.Obtain(ctx, op, operation.Obtaining{
		Grant: c.Grant, Current: c.Tokens.Token(op.Now), Fields: c.Tokens.Fields, RedirectURI: c.Tokens.RedirectURI,
	})
	if out.PluginFailed {
		err = s.withVersions(err, intent, op.Service.Provider)
	}
	p.end()
	if errors.Is(err, store.ErrStale) { // the fence: another replica has taken over
		s.runner.Done(intent.ID)
		s.dropUnsent(intent.ID)
		return c, err
	}
	if other, may := s.otherSecret(f, c, op, out, err); may {
		if begun, c, err := s.tryOtherSecret(ctx, f, c, other, intent); begun {
			return c, err
		}
	}
	attempt := Attempt{Service: op.Service, Took: time.Since(begun), Scheduled: !c.Due.IsZero()}
	if !c.Due.IsZero() {
		attempt.Lag = max(0, s.clock.Of(begun).Sub(c.Due))
	}
	if err != nil {
		attempt.Failure = bothRefused(f, failureOf(err))
	}
	defer s.attempted(attempt)
	if err == nil {
		crashpoint.At(crashpoint.Parsed)
		renewed := c.Renewed(s.Now(), op.Now, *token).Bound(out.KeyIDs)
		s.secretWorked(f, op.Service)
		if len(token.Parts) > 0 {
			// Refusing the reply would lose the set whose refresh token it has spent.
			log.Error("token response of a renewal has parts, which only an authorization brings: not kept", "connection", c.Name, "plugin", op.Service.Provider)
		}
		log.Info("renewed", "connection", c.Name, "generation", renewed.Generation, "expires_at", renewed.Tokens.ExpiresAt)
		saved, err := s.save(ctx, c, renewed, intent, true)
		if err == nil && saved.Generation == renewed.Generation {
			s.lookAtAccount(op.Service, c, saved)
		}
		return saved, err
	}
	if out.PluginFailed && out.Sent && out.Answered {
		return s.keepReply(ctx, c, intent, out, op.Service.Provider, err)
	}
	failure := attempt.Failure
	if half := c.HalfRenewed(s.Now(), op.Now, failure); failure.RefreshToken != c.Tokens.RefreshToken && half.Generation > c.Generation {
		half.Cause = connection.CauseOf(half, s.limiter.KeyFor(op.Service.ID).Host(), op.Service.Provider).String()
		log.Error("token response malformed but rotates the refresh token, new refresh token kept", "connection", c.Name, "error", failure.Message)
		return s.save(ctx, c, half, intent, true)
	}
	failed := s.failedBy(c, intent.Generation, out, failure)
	failed = s.suspected(ctx, c, failed, intent.Generation, failure)
	failed.Cause = connection.CauseOf(failed, s.limiter.KeyFor(op.Service.ID).Host(), op.Service.Provider).String()
	if failed.Trouble() == nil && failed.Failure != nil {
		log.Info("token not renewable before expiry, renewal rescheduled", "connection", c.Name, "next", failed.Due)
		return s.save(ctx, c, failed, intent, false)
	}
	log.Warn("renewal failed", "connection", c.Name, "kind", failure.Kind.String(), "code", failure.Code, "error", failure.Message, "next", failed.Due, "phase", string(failed.Phase()))
	if failure.Kind == provider.Internal {
		log.Error("renewal failed, error not classified", "connection", c.Name, "error", err)
	}
	return s.save(ctx, c, failed, intent, false)
}

// failedBy is the connection after a failure, by what is known of its requests.
func (s *Source) failedBy(c connection.Connection, sent int64, out operation.Outcome, failure *provider.Error) connection.Connection {
	now := s.Now()
	passes := failure.Kind == provider.Transient || failure.Kind == provider.Internal
	if out.Sent && (!out.Answered || out.LostOnTheWay && passes) {
		return c.ReplyLost(now, sent, failure, connection.Lost{
			SentAt: out.StartedAt, AnswerableUntil: s.clock.Of(out.AnswerableUntil), OnTheWay: out.Answered,
		})
	}
	if failure.TooEarly && failure.Kind == provider.Transient {
		return c.TooEarly(now, sent, failure)
	}
	return c.Failed(now, sent, failure)
}

// suspected is the connection after a refusal that most likely ends its grant, judged by
// the state of the service's other grants; failed where it does not.
func (s *Source) suspected(ctx context.Context, c, failed connection.Connection, sent int64, failure *provider.Error) connection.Connection {
	if failed.Failure == c.Failure || !failed.Suspicious(s.Now()) {
		return failed
	}
	others, err := s.store.Stats.Elsewhere(ctx, c.ServiceID, c.ID, failed.Failure.SameSince)
	if err != nil {
		tracing.Log(ctx, s.log).Warn("check whether only this grant is refused failed", "connection", c.Name, "error", err)
		return failed
	}
	if !failed.Alone(others) {
		return failed
	}
	return c.Suspected(s.Now(), sent, failure)
}

// save commits the outcome with a compare-and-set on the generation. While the database
// is unavailable it retries: this process may hold the only valid refresh token. When the
// hub stops first, the journal has the reply.
func (s *Source) save(trailing context.Context, old, c connection.Connection, intent renewaldb.Intent, success bool) (connection.Connection, error) {
	var kept <-chan struct{}
	if success {
		kept = s.remember(c)
	}
	pauses := backoff.ExponentialBackOff{InitialInterval: 50 * time.Millisecond, Multiplier: 2, MaxInterval: 5 * time.Second}
	for {
		err := s.saveOnce(c, intent, success)
		switch {
		case err == nil:
			crashpoint.At(crashpoint.Saved)
			s.forgetReply(intent.ID, kept)
			crashpoint.At(crashpoint.LeaseFreed) // the save has freed it
			return c, nil
		case errors.Is(err, store.ErrStale):
			s.runner.Done(intent.ID)
			return s.store.Grants.Connection(s.life, c.ID) // a concurrent outcome was saved first, and its tokens stay
		case errors.Is(err, store.ErrNotFound):
			s.runner.Done(intent.ID)
			return c, err // removed from the trash meanwhile
		}
		tracing.Log(trailing, s.log).Error("save renewal outcome failed, retrying", "connection", c.Name, "error", err)
		select {
		case <-s.life.Done():
			return old, fmt.Errorf("the hub stopped before the renewal of %s was saved; its reply is in the journal: %w", c.Name, err)
		case <-time.After(pauses.NextBackOff()):
		}
	}
}

// saveOnce tries to commit an outcome.
func (s *Source) saveOnce(c connection.Connection, intent renewaldb.Intent, success bool) error {
	ctx, cancel := context.WithTimeout(s.life, 10*time.Second)
	defer cancel()
	if success {
		return s.store.Renewals.SaveRenewal(ctx, c, intent.Generation, intent.ID, s.Owner())
	}
	return s.store.Renewals.SaveFailure(ctx, c, intent.Generation, intent.ID, s.Owner())
}

// outcome names in a trace how a renewal ended; "" is success.
func outcome(c connection.Connection, err error) string {
	switch {
	case err != nil:
		return "not saved"
	case c.Trouble() != nil:
		return c.Failure.Kind.String()
	}
	return ""
}

func failureOf(err error) *provider.Error {
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e
	}
	return provider.Errorf(provider.Internal, "", "%w", err)
}

// Fingerprint identifies a refresh token, or its substitute, without revealing it.
func Fingerprint(t connection.TokenSet) string {
	spent := t.RefreshToken
	if spent == "" {
		spent = t.AccessToken
	}
	sum := sha256.Sum256([]byte("evergrant fingerprint\x00" + spent))
	return hex.EncodeToString(sum[:8])
}
