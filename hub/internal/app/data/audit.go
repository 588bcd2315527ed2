package data

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// VerifyAudit walks the chain of audit records and returns how many it holds. Errors:
// *store.BrokenChainError, which is recorded as what came of it.
func (d *Data) VerifyAudit(ctx context.Context) (records int64, err error) {
	a := act.Act{Name: "audit.verify", Needs: access.ActAudit, On: audit.Object{Kind: "audit"}}
	if key := act.From(ctx).Key; key.ID != "" && access.Has(key, access.ScopeAuditRead) {
		a.Needs = "" // a key that may read the records and nothing else may have them verified
	}
	var broken *auditdb.BrokenChainError
	err = d.o.Recorder.Look(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if records, err = d.o.Store.Audit.VerifyAudit(ctx); errors.As(err, &broken) {
			e.Add("result", fmt.Sprintf("the chain is broken at record %d", broken.Seq))
			return nil
		}
		return err
	})
	if err == nil && broken != nil {
		err = broken
	}
	return records, err
}

// anchorSentSetting is when the last anchor was sent.
const anchorSentSetting = "audit-anchor-sent"

// anchorEvery is how often the head of the audit chain is sent elsewhere.
const anchorEvery = 24 * time.Hour

// Anchor is the hub's own act: it sends the head of the audit chain over the channel of a
// title, once a day. A broken chain is not anchored, but returned as an error.
func (d *Data) Anchor(ctx context.Context, title string, now time.Time) error {
	sent, err := d.o.Store.Setting(ctx, anchorSentSetting)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	// A time that is ahead of ours is no reason to be silent.
	if at, err := time.Parse(time.RFC3339, sent); err == nil && !at.After(now) && now.Sub(at) < anchorEvery {
		return nil
	}
	anchor, err := d.o.Store.Audit.AnchorAudit(ctx, now)
	if errors.Is(err, auditdb.ErrNoAudit) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("anchor the audit records: %w", err)
	}
	a := act.Act{Name: "audit.anchor", On: audit.Object{Kind: "channel", Name: title}, Detail: []string{"seq", strconv.FormatInt(anchor.Seq, 10)}}
	var partly error
	err = d.o.Recorder.Prepared(act.With(ctx, act.Hub()), a, func(ctx context.Context, e *act.Entry) error {
		told, err := d.o.SendAnchor(ctx, title, anchor)
		if told == 0 {
			d.seldom(e, now)
			return fmt.Errorf("send the anchor of the audit records over the channel %q (audit.anchor): %w", title, err)
		}
		e.Add("told", strconv.Itoa(told))
		partly = err
		return nil
	}, func(ctx context.Context, _ *act.Entry) error {
		return d.o.Store.SetSetting(ctx, anchorSentSetting, now.UTC().Format(time.RFC3339))
	})
	return errors.Join(err, partly)
}

// seldom leaves a failure to send an anchor out of the record if another one was recorded
// within the time of anchorEvery: it is tried again every few minutes.
func (d *Data) seldom(e *act.Entry, now time.Time) {
	last := time.Unix(d.anchorFailed.Load(), 0)
	if now.Sub(last) < anchorEvery {
		e.Unchanged()
		return
	}
	d.anchorFailed.Store(now.Unix())
}
