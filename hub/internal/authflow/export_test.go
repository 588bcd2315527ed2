package authflow

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// AskDeviceAndDie asks for the tokens of a device authorization as PollDevices does, and
// ends where a hub is killed before it saves them.
func AskDeviceAndDie(ctx context.Context, f *Flow, d *authdb.Device) error {
	_, svc, err := f.forDevice(ctx, d.ConnectionID)
	if err != nil {
		return err
	}
	meta := operation.DeviceMeta{DeviceID: d.ID, DeviceConnection: d.ConnectionID, Scopes: d.Scopes, Asked: time.Now(), Data: d.Started.Data}
	op := &operation.Op{ID: store.NewID(), Service: svc.At(meta.Asked), Now: meta.Asked, Journaled: true, Meta: meta.Encode()}
	token, _, err := f.o.Runner.DeviceToken(ctx, op, provider.DeviceTokenRequest{DeviceCode: d.Started.DeviceCode, Data: meta.Data})
	if err == nil && token.AccessToken == "" {
		err = errors.New("no token came")
	}
	return err
}

// PollDeviceAt claims and polls a device authorization at a time, as PollDevices does, and
// returns it as it is stored after that.
func PollDeviceAt(ctx context.Context, f *Flow, d *authdb.Device, now time.Time) (*authdb.Device, error) {
	claimed := now.Add(time.Minute)
	mine, err := f.o.Store.Authorizations.ClaimDevice(ctx, d, claimed)
	if err != nil || !mine {
		return nil, errors.Join(errors.New("the device authorization is claimed already"), err)
	}
	f.pollDevice(ctx, d, claimed, now)
	return f.Device(ctx, d.ConnectionID)
}
