package tokensource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/tracing"
)

// journalMeta is what a journaled renewal needs to be finished by a later run.
type journalMeta struct {
	ConnectionID string    `json:"connection_id"`
	Generation   int64     `json:"generation"`
	StartedAt    time.Time `json:"started_at"`
	BegunAt      time.Time `json:"begun_at"`
	// SendBy and Deadline are by the wall clock, as StartedAt is.
	SendBy   time.Time `json:"send_by"`
	Deadline time.Time `json:"deadline"`
	// PluginVersion and PluginSum as in renewaldb.Intent.
	PluginVersion string `json:"plugin_version,omitempty"`
	PluginSum     string `json:"plugin_sum,omitempty"`
}

// begunAt is BegunAt, which older versions did not write.
func (m journalMeta) begunAt() time.Time {
	if m.BegunAt.IsZero() {
		return m.StartedAt
	}
	return m.BegunAt
}

func metaOf(intent renewaldb.Intent) []byte {
	meta, _ := json.Marshal(journalMeta{ // a struct of plain fields cannot fail
		ConnectionID: intent.ConnectionID, Generation: intent.Generation, StartedAt: intent.StartedAt, BegunAt: intent.BegunAt,
		SendBy: intent.SendBy, Deadline: intent.Deadline, PluginVersion: intent.PluginVersion, PluginSum: intent.PluginSum,
	})
	return meta
}

// settle deals with an intent that an earlier renewal left open. settled is
// true if that decided the renewal; otherwise a new one may begin.
func (s *Source) settle(ctx context.Context, c connection.Connection) (settled bool, _ connection.Connection, err error) {
	intent, err := s.store.Renewals.OpenIntent(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, c, nil
	}
	if err != nil {
		return false, c, err
	}
	if s.clock.Strays(intent.ReadAt) {
		// Times that have passed by a clock that stepped have not passed.
		s.refound(ctx)
		c, err = s.holdBack(ctx, c, connection.CauseClock)
		return true, c, err
	}
	kept := s.repliesOf(*intent)
	// A reply may lie in a damaged part of this hub's journal: then no more is known than
	// of another hub's renewal.
	mine := intent.Owner == s.Owner() && !s.journal.MayHaveLost(intent.StartedAt)
	settlement, until := c.Settle(intent.ReadAt, connection.OpenIntent{
		Generation: intent.Generation, Mine: mine, Replied: len(kept) > 0,
		Unsent:    mine && s.journal.NeverSent(intent.ID, intent.StartedAt),
		StartedAt: intent.BegunAt, SendBy: intent.SendBy, Deadline: intent.Deadline,
	}, s.takeover)
	switch settlement {
	case connection.SettleDrop:
		if intent.Generation < c.Generation || len(kept) == 0 {
			s.runner.Done(intent.ID) // a reply to a later refresh token waits for its row
		}
		return false, c, s.store.Renewals.DropIntent(ctx, intent.ID)
	case connection.SettleFinish:
		c, err = s.replay(ctx, c, *intent, kept)
		return true, c, err
	case connection.SettleWait:
		if f := c.Failure; f != nil && f.Uncertain && !c.Due.Before(until) {
			s.freeLease(c.ID)
			return true, c, nil // it is known already
		}
		waits := c.OwnerAwaited(intent.ReadAt, c.Generation, until, intent.Owner == s.Owner())
		waits.Cause = connection.CauseOf(waits, "", "").String()
		return true, waits, s.store.Renewals.SaveFailure(ctx, waits, c.Generation, "", s.Owner())
	case connection.SettleTryOnce:
	}
	// Waiting brings no more information: retry once, and take that answer as final.
	tracing.Log(ctx, s.log).Warn("renewal has no outcome, retrying", "connection", c.Name, "intent", intent.ID)
	s.runner.Done(intent.ID)
	return false, c, s.store.Renewals.DropIntent(ctx, intent.ID)
}

// replay finishes a renewal whose reply is known. It sends nothing.
func (s *Source) replay(ctx context.Context, c connection.Connection, intent renewaldb.Intent, kept map[int][]byte) (connection.Connection, error) {
	svc, err := s.store.Services.Service(ctx, c.ServiceID)
	if err != nil {
		return c, err
	}
	op := &operation.Op{ID: intent.ID, Service: svc.At(intent.BegunAt), Connection: c.ForProvider(), KeyIDs: c.Tokens.KeyIDs, Now: intent.BegunAt, Journaled: true, Meta: metaOf(intent), Kept: kept}
	if version, other := s.otherPlugin(intent, svc.Provider); other {
		tracing.Log(ctx, s.log).Warn("token response is read by another plugin version than asked for it", "connection", c.Name, "asked", intent.PluginVersion, "reads", version)
	}
	return s.finish(ctx, nil, c, op, intent, nil)
}

// settleKept finishes an open renewal whose reply is known, of a connection that may not
// be renewed now: its token has expired since, or it is paused. The reply may hold the
// only valid tokens.
func (s *Source) settleKept(ctx context.Context, c connection.Connection) (settled bool, _ connection.Connection, err error) {
	intent, err := s.store.Renewals.OpenIntent(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, c, nil
	}
	if err != nil || intent.Generation != c.Generation {
		return false, c, err
	}
	kept := s.repliesOf(*intent)
	if len(kept) == 0 {
		return false, c, nil
	}
	c, err = s.replay(ctx, c, *intent, kept)
	return true, c, err
}

// repliesOf looks for the replies of an intent in the journal and in its row.
func (s *Source) repliesOf(intent renewaldb.Intent) map[int][]byte {
	if op, ok := s.journal.Operation(intent.ID); ok && len(op.Replies) > 0 {
		return op.Replies
	}
	if len(intent.Reply) == 0 {
		return nil
	}
	var kept map[int][]byte
	if err := json.Unmarshal(intent.Reply, &kept); err != nil {
		s.log.Error("read kept token response failed", "intent", intent.ID, "error", err)
		return nil
	}
	return kept
}

// maxReplays bounds how often a kept reply is tried on a plugin that fails on it.
// One that is not there, or does not start, has not failed on it.
const maxReplays = 20

// keepReply leaves an intent open whose reply the plugin could not digest: any
// replica, or a mended version of the plugin, can finish it.
func (s *Source) keepReply(ctx context.Context, c connection.Connection, intent renewaldb.Intent, out operation.Outcome, providerName string, cause error) (connection.Connection, error) {
	failure := failureOf(cause)
	failed := c.Failed(s.Now(), intent.Generation, failure)
	failed.Cause = connection.CauseOf(failed, "", providerName).String()
	if failed.Failure != nil && failed.Failure.Count > maxReplays && failure.Code == operation.CodePluginFailed {
		return s.save(ctx, c, failed, intent, false)
	}
	tracing.Log(ctx, s.log).Error("plugin failed to parse a token response, kept for retry", "connection", c.Name, "error", failure.Message)
	data, err := json.Marshal(out.Replies)
	if err != nil {
		return c, err
	}
	if err := s.store.Renewals.KeepReply(ctx, intent.ID, data); err != nil {
		return c, fmt.Errorf("keep the reply to the renewal of %s: %w", c.Name, err)
	}
	if err := s.store.Renewals.SaveFailure(ctx, failed, intent.Generation, "", s.Owner()); err != nil {
		return c, err
	}
	return failed, nil
}
