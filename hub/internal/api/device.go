package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/grants"
)

// DeviceAuthorization is a code for a person to enter at the service (RFC 8628 section
// 3.2). The hub asks the service by itself whether that was done.
type DeviceAuthorization struct {
	State                   string    `json:"state" enum:"pending,authorized,denied,expired,failed" doc:"Only a pending one has a code"`
	UserCode                string    `json:"user_code,omitempty" doc:"What the person enters"`
	VerificationURI         string    `json:"verification_uri,omitempty" doc:"Where"`
	VerificationURIComplete string    `json:"verification_uri_complete,omitempty" doc:"The same with the code in it, if the service has that"`
	ExpiresAt               time.Time `json:"expires_at"`
	Reason                  string    `json:"reason,omitempty" doc:"Why there is no grant, as the pages call it"`
	Message                 string    `json:"message,omitempty" doc:"What the service said"`
	Reference               string    `json:"reference,omitempty" doc:"Finds it in the hub's log"`
}

func (a *API) registerDevice() {
	start := operation("authorize-on-device", http.MethodPost, "/api/v1/connections/{name}/device-authorization",
		"Start a device authorization", "Connections", 404, 502, 503)
	start.Description = "For connections of the grant device_code. Show the person user_code and verification_uri; the hub asks the service until the person has answered or the code has expired. " +
		"A new one replaces the one before."
	start.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, start, func(ctx context.Context, in *NameInput) (*one[DeviceAuthorization], error) {
		d, err := a.grants.StartDevice(ctx, in.Name, grants.Way{})
		if err != nil {
			return nil, a.fail(err)
		}
		return deviceView(d), nil
	})
	read := operation("device-authorization", http.MethodGet, "/api/v1/connections/{name}/device-authorization",
		"Read the latest device authorization", "Connections", 404)
	huma.Register(a.huma, read, func(ctx context.Context, in *NameInput) (*one[DeviceAuthorization], error) {
		d, err := a.grants.Device(ctx, in.Name)
		if err != nil {
			return nil, a.fail(err)
		}
		return deviceView(d), nil
	})
}

func deviceView(d grants.OnDevice) *one[DeviceAuthorization] {
	started, end := d.Device.Started, d.Device.End
	return &one[DeviceAuthorization]{DeviceAuthorization{
		State: string(d.Device.State), UserCode: started.UserCode, VerificationURI: started.VerificationURI, VerificationURIComplete: started.VerificationURIComplete,
		ExpiresAt: d.Device.ExpiresAt.UTC(), Reason: end.Reason, Message: end.Message, Reference: end.Reference,
	}}
}
