package store

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// Inspector looks at a database, beside a running hub or without one. It changes nothing:
// nothing is made, migrated or locked.
type Inspector struct {
	*db.Inspector
	rows *Store
}

// Inspect opens a database to look at it. Errors: ErrNoDatabase.
func Inspect(ctx context.Context, o Options) (*Inspector, error) {
	in, err := db.Inspect(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Inspector{in, over(db.Of(in))}, nil
}

// Restores reads the restores of the database, and how many connections are behind.
func (in *Inspector) Restores(ctx context.Context) (replicadb.Restores, int, error) {
	at, err := in.rows.Replicas.Restores(ctx)
	if err != nil {
		return at, 0, err
	}
	n, err := in.rows.Replicas.CountBehind(ctx)
	return at, n, err
}

// RestoreReplicas reads how far the replicas have got with a restore.
func (in *Inspector) RestoreReplicas(ctx context.Context, id string) ([]replicadb.ComparedReplica, error) {
	return in.rows.Replicas.RestoreReplicas(ctx, id)
}

// KeyFits opens something that a hub on this database has sealed. Errors:
// auditdb.ErrNothingSealed, auditdb.ErrOtherKey.
func (in *Inspector) KeyFits(ctx context.Context) error { return in.rows.Audit.KeyFits(ctx) }

// InstanceProof answers a nonce as only a hub with this database and this key can. Errors:
// as KeyFits.
func (in *Inspector) InstanceProof(ctx context.Context, nonce string) (string, error) {
	return in.rows.Audit.InstanceProof(ctx, nonce)
}

// Slots reads the slots of plugins and the packages that they may run.
func (in *Inspector) Slots(ctx context.Context) ([]plugindb.Slot, []plugindb.Package, error) {
	slots, err := in.rows.Plugins.Slots(ctx)
	if err != nil {
		return nil, nil, err
	}
	packages, err := in.rows.Plugins.Packages(ctx)
	return slots, packages, err
}

// Replicas reads all runs that are known, and the database's time.
func (in *Inspector) Replicas(ctx context.Context) ([]replicadb.Replica, time.Time, error) {
	return in.rows.Replicas.Replicas(ctx)
}

// Channels reads the channels of messages.
func (in *Inspector) Channels(ctx context.Context) ([]noticedb.Channel, error) {
	return in.rows.Notices.Channels(ctx)
}

// Contacts reads who is told.
func (in *Inspector) Contacts(ctx context.Context) ([]policy.Contact, error) {
	return in.rows.People.Contacts(ctx)
}

// VerifyAudit walks the audit chain, and with an anchor also to that. It returns how many
// records it has seen. Errors: *auditdb.BrokenChainError, *auditdb.MissingAnchorError.
func (in *Inspector) VerifyAudit(ctx context.Context, anchor *auditdb.AuditAnchor) (records int64, err error) {
	if anchor != nil {
		return in.rows.Audit.VerifyAnchor(ctx, *anchor)
	}
	return in.rows.Audit.VerifyAudit(ctx)
}

// AnchorAudit makes an anchor of the chain's head.
func (in *Inspector) AnchorAudit(ctx context.Context, now time.Time) (auditdb.AuditAnchor, error) {
	return in.rows.Audit.AnchorAudit(ctx, now)
}
