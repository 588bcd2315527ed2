package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// AuditAnchor is the signed head of the audit chain.
type AuditAnchor = store.AuditAnchor

// VerifyAudit verifies the chain of audit records of a database, while hubs may run on
// it, and returns how many records it holds. With an anchor it also checks that the chain
// holds the anchored head. Its error names the record that was changed or is missing.
func VerifyAudit(ctx context.Context, cfg Config, anchor *AuditAnchor) (records int64, err error) {
	in, err := inspectWithKey(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	return in.VerifyAudit(ctx, anchor)
}

// AnchorAudit verifies the chain of audit records and signs its head.
func AnchorAudit(ctx context.Context, cfg Config) (AuditAnchor, error) {
	in, err := inspectWithKey(ctx, cfg)
	if err != nil {
		return AuditAnchor{}, err
	}
	defer func() { _ = in.Close() }()
	return in.AnchorAudit(ctx, time.Now())
}

func inspectWithKey(ctx context.Context, cfg Config) (*store.Inspector, error) {
	box, err := readKey(cfg)
	if err != nil {
		return nil, err
	}
	return store.Inspect(ctx, store.Options{URL: cfg.Database.URL, DataDir: cfg.DataDir, Box: box})
}

// mostAnchor bounds the file of an anchor, in bytes.
const mostAnchor = 64 << 10

// ReadAnchor reads an anchor from a file: its JSON, which may be part of a message's
// text.
func ReadAnchor(path string) (*AuditAnchor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the anchor: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, mostAnchor))
	if err != nil {
		return nil, fmt.Errorf("read the anchor: %w", err)
	}
	from, to := strings.IndexByte(string(text), '{'), strings.LastIndexByte(string(text), '}')
	var a AuditAnchor
	if from < 0 || to < from || json.Unmarshal(text[from:to+1], &a) != nil || a.Format != store.AnchorFormat {
		return nil, fmt.Errorf("the file %s holds no anchor: keep what `evergrant audit anchor` prints, or the message with an anchor", path)
	}
	return &a, nil
}

// anchorSentSetting is when the last anchor was sent.
const anchorSentSetting = "audit-anchor-sent"

// anchorEvery is how often the head of the audit chain is sent elsewhere.
const anchorEvery = 24 * time.Hour

// sendAnchor sends the head of the audit chain over the channel of audit.anchor, once a
// day. A broken chain is not anchored, but logged.
func sendAnchor(ctx context.Context, s *store.Store, e *escalation.Escalation, log *audit.Log, title string, now time.Time) error {
	sent, err := s.Setting(ctx, anchorSentSetting)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	// A time that is ahead of ours is no reason to be silent.
	if at, err := time.Parse(time.RFC3339, sent); err == nil && !at.After(now) && now.Sub(at) < anchorEvery {
		return nil
	}
	anchor, err := s.AnchorAudit(ctx, now)
	if errors.Is(err, store.ErrNoAudit) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("anchor the audit records: %w", err)
	}
	told, err := e.SendAnchor(ctx, title, anchor)
	if told == 0 {
		return fmt.Errorf("send the anchor of the audit records over the channel %q (audit.anchor): %w", title, err)
	}
	log.Record(ctx, "audit.anchor", audit.Object{Kind: "channel", Name: title}, "seq", fmt.Sprint(anchor.Seq), "told", fmt.Sprint(told))
	return errors.Join(err, s.SetSetting(ctx, anchorSentSetting, now.UTC().Format(time.RFC3339)))
}
