package store

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
)

// Restores is Store.Restores, and CountBehind Store.CountBehind.
func (in *Inspector) Restores(ctx context.Context) (Restores, int, error) {
	at, err := in.s.Restores(ctx)
	if err != nil {
		return at, 0, err
	}
	n, err := in.s.CountBehind(ctx)
	return at, n, err
}

// RestoreReplicas is Store.RestoreReplicas.
func (in *Inspector) RestoreReplicas(ctx context.Context, id string) ([]ComparedReplica, error) {
	return in.s.RestoreReplicas(ctx, id)
}

// KeyFits is Store.KeyFits.
func (in *Inspector) KeyFits(ctx context.Context) error { return in.s.KeyFits(ctx) }

// InstanceProof is Store.InstanceProof.
func (in *Inspector) InstanceProof(ctx context.Context, nonce string) (string, error) {
	return in.s.InstanceProof(ctx, nonce)
}

// Slots is Store.Slots, and Packages Store.Packages.
func (in *Inspector) Slots(ctx context.Context) ([]Slot, []Package, error) {
	slots, err := in.s.Slots(ctx)
	if err != nil {
		return nil, nil, err
	}
	packages, err := in.s.Packages(ctx)
	return slots, packages, err
}

// Replicas is Store.Replicas.
func (in *Inspector) Replicas(ctx context.Context) ([]Replica, time.Time, error) {
	return in.s.Replicas(ctx)
}

// Channels is Store.Channels.
func (in *Inspector) Channels(ctx context.Context) ([]Channel, error) { return in.s.Channels(ctx) }

// Contacts is Store.Contacts.
func (in *Inspector) Contacts(ctx context.Context) ([]policy.Contact, error) {
	return in.s.Contacts(ctx)
}

// VerifyAudit is Store.VerifyAudit, and with an anchor Store.VerifyAnchor.
func (in *Inspector) VerifyAudit(ctx context.Context, anchor *AuditAnchor) (records int64, err error) {
	if anchor != nil {
		return in.s.VerifyAnchor(ctx, *anchor)
	}
	return in.s.VerifyAudit(ctx)
}

// AnchorAudit is Store.AnchorAudit.
func (in *Inspector) AnchorAudit(ctx context.Context, now time.Time) (AuditAnchor, error) {
	return in.s.AnchorAudit(ctx, now)
}
