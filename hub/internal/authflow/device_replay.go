package authflow

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
)

// replayDevices saves what the journal holds of device authorizations: the service gives
// the tokens of a device code once.
func (f *Flow) replayDevices(ctx context.Context) {
	for _, op := range f.o.Runner.PendingDevices() {
		if meta, _ := operation.DeviceOf(op); !f.devices.has(op.ID) {
			f.replayDevice(context.WithoutCancel(ctx), op, meta)
		}
	}
}

// has reports whether an operation is under way.
func (d *devices) has(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out[id]
}

func (f *Flow) replayDevice(ctx context.Context, op journal.Operation, meta operation.DeviceMeta) {
	if len(op.Replies) == 0 || time.Since(meta.Asked) > deviceReplyGiveUp {
		f.o.Runner.Done(op.ID)
		return
	}
	d, err := f.o.Store.Authorizations.Device(ctx, meta.DeviceConnection)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return // the database is away
	case err != nil || d.ID != meta.DeviceID || d.State == authdb.DeviceAuthorized: // begun anew, gone, or saved
		f.o.Runner.Done(op.ID)
		return
	}
	f.o.Logger.Info("apply the journaled reply of an interrupted device authorization", "connection_id", d.ConnectionID)
	f.askDevice(ctx, d, op.ID, meta, op.Replies)
}
