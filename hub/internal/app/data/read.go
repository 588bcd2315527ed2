package data

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/withdrawn"
)

// Withdrawn lists what was withdrawn and is back after a restore, oldest first.
func (d *Data) Withdrawn(ctx context.Context) ([]withdrawn.Item, error) {
	return d.o.Withdrawn.List(ctx)
}

// CountWithdrawn counts what replicas have published of that.
func (d *Data) CountWithdrawn(ctx context.Context) (int, error) {
	all, err := d.o.Store.Replicas.PublishedWithdrawals(ctx)
	return len(all), err
}

// Restores reads how the last restore of the database stands.
func (d *Data) Restores(ctx context.Context) (replicadb.Restores, error) {
	return d.o.Store.Replicas.Restores(ctx)
}

// RestoreReplicas reads how far each replica has got with a restore.
func (d *Data) RestoreReplicas(ctx context.Context, id string) ([]replicadb.ComparedReplica, error) {
	return d.o.Store.Replicas.RestoreReplicas(ctx, id)
}

// Replicas reads the hubs of the database, and its time.
func (d *Data) Replicas(ctx context.Context) ([]replicadb.Replica, time.Time, error) {
	return d.o.Store.Replicas.Replicas(ctx)
}

// Behind lists the grants that wait for a decision, at most most; 0 is all.
func (d *Data) Behind(ctx context.Context, most int) ([]replicadb.Behind, error) {
	return d.o.Store.Replicas.Behind(ctx, most)
}

// CountBehind counts the grants that wait for a decision.
func (d *Data) CountBehind(ctx context.Context) (int, error) {
	return d.o.Store.Replicas.CountBehind(ctx)
}
