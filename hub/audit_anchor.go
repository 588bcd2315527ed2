package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// AuditAnchor is the signed head of the audit chain.
type AuditAnchor = auditdb.AuditAnchor

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
	if from < 0 || to < from || json.Unmarshal(text[from:to+1], &a) != nil || a.Format != auditdb.AnchorFormat {
		return nil, fmt.Errorf("the file %s holds no anchor: keep what `evergrant audit anchor` prints, or the message with an anchor", path)
	}
	return &a, nil
}
