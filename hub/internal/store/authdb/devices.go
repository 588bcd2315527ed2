package authdb

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

type deviceRow struct {
	ConnectionID string `gorm:"primaryKey"`
	ID           string
	ServiceID    string
	BrowserHash  string
	UserID       string
	LinkedBy     string
	Secrets      []byte
	Lang         string
	PollEvery    int64
	NextPollAt   int64
	State        string
	Ended        string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	ExpiresAt    int64
}

// TableName pins the table.
func (deviceRow) TableName() string { return "device_authorizations" }

// deviceSecrets is what is sealed of a device authorization.
type deviceSecrets struct {
	Started provider.DeviceAuthorization `json:"started"`
	Scopes  []string                     `json:"scopes,omitempty"`
}

// DeviceState is how far a device authorization has come.
type DeviceState string

// The states of a device authorization. Only a pending one is asked for.
const (
	DevicePending    DeviceState = "pending"
	DeviceAuthorized DeviceState = "authorized"
	DeviceDenied     DeviceState = "denied"
	DeviceExpired    DeviceState = "expired"
	DeviceFailed     DeviceState = "failed"
)

// DeviceEnd is how a device authorization ended without a grant.
type DeviceEnd struct {
	// Reason is one of authflow's, and Reference finds it in the hub's log.
	Reason    string `json:"reason,omitempty"`
	Reference string `json:"reference,omitempty"`
	// Kind, Code and Message are those of the error of the service.
	Kind    provider.Kind `json:"kind,omitempty"`
	Code    string        `json:"code,omitempty"`
	Message string        `json:"message,omitempty"`
	// Wanted and Got are two accounts that differ.
	Wanted provider.Account `json:"wanted,omitzero"`
	Got    provider.Account `json:"got,omitzero"`
	// Part is the title of the part that they are of; zero for the authorization's own.
	Part provider.Text `json:"part,omitzero"`
}

// Device is a device authorization of a connection. It never prints its secrets.
type Device struct {
	ID, ConnectionID, ServiceID string
	// BrowserHash is the hash of the secret of the browser that followed a link, LinkedBy
	// who made the link; both are empty without one.
	BrowserHash, LinkedBy string
	// UserID is who started it, or had the link made.
	UserID string
	// Started is the service's reply.
	Started provider.DeviceAuthorization
	// Scopes are those that were asked for.
	Scopes []string
	Lang   string
	// PollEvery is the time between two requests, NextPollAt when the next one is due.
	PollEvery  time.Duration
	NextPollAt time.Time
	State      DeviceState
	End        DeviceEnd
	CreatedAt  time.Time
	ExpiresAt  time.Time
}

// LogValue implements slog.LogValuer and shows no secret.
func (d Device) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", d.ID), slog.String("connection_id", d.ConnectionID), slog.String("state", string(d.State)))
}

// GoString keeps secrets out of %#v.
func (d Device) GoString() string { return "authdb.Device{" + d.ID + "}" }

// Format implements fmt.Formatter: no verb prints a secret.
func (d Device) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "device authorization %s", d.ID) }

// PutDevice keeps a device authorization, in place of an earlier one of its connection.
// Errors: ErrNotFound if its service or connection is gone.
func (s *Rows) PutDevice(ctx context.Context, d Device) error {
	sealed, err := s.db.SealJSON(deviceSecrets{Started: d.Started, Scopes: d.Scopes}, "device_authorizations", d.ConnectionID, "secrets")
	if err == nil {
		row := deviceRow{
			ConnectionID: d.ConnectionID, ID: d.ID, ServiceID: d.ServiceID, BrowserHash: d.BrowserHash, UserID: d.UserID, LinkedBy: d.LinkedBy, Secrets: sealed, Lang: d.Lang,
			PollEvery: d.PollEvery.Milliseconds(), NextPollAt: db.Millis(d.NextPollAt), State: string(DevicePending), CreatedAt: db.Millis(d.CreatedAt), ExpiresAt: db.Millis(d.ExpiresAt),
		}
		err = s.db.Writing(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "connection_id"}}, UpdateAll: true}).Create(&row).Error
	}
	return db.Failed("begin the device authorization "+d.ID, err)
}

// Device reads the latest device authorization of a connection. Errors: ErrNotFound.
func (s *Rows) Device(ctx context.Context, connectionID string) (*Device, error) {
	var row deviceRow
	if err := s.db.Reading(ctx).Where("connection_id = ?", connectionID).Take(&row).Error; err != nil {
		return nil, db.Failed("read the device authorization of "+connectionID, err)
	}
	return s.deviceOf(&row)
}

// PendingDevices are the device authorizations that are pending, those that are due first
// at the head. One that cannot be opened is left out.
func (s *Rows) PendingDevices(ctx context.Context, limit int) ([]*Device, error) {
	var rows []deviceRow
	err := s.db.Reading(ctx).Where("state = ?", string(DevicePending)).Order("next_poll_at").Limit(limit).Find(&rows).Error
	var all []*Device
	for i := range rows {
		if d, err := s.deviceOf(&rows[i]); err == nil {
			all = append(all, d)
		}
	}
	return all, db.Failed("list device authorizations", err)
}

// ClaimDevice moves the next request of a pending device authorization, and so makes the
// caller the only one that sends the present one. False if another replica was first.
func (s *Rows) ClaimDevice(ctx context.Context, d *Device, until time.Time) (bool, error) {
	return s.moveDevice(ctx, d, d.NextPollAt, until, d.PollEvery)
}

// PutOffDevice sets when the next request of a claimed device authorization is due, and
// how often it is asked from now on.
func (s *Rows) PutOffDevice(ctx context.Context, d *Device, claimed, next time.Time, every time.Duration) error {
	_, err := s.moveDevice(ctx, d, claimed, next, every)
	return err
}

func (s *Rows) moveDevice(ctx context.Context, d *Device, from, to time.Time, every time.Duration) (bool, error) {
	moved := s.db.Writing(ctx).Model(&deviceRow{}).Where("id = ? AND state = ? AND next_poll_at = ?", d.ID, string(DevicePending), db.Millis(from)).
		UpdateColumns(map[string]any{"next_poll_at": db.Millis(to), "poll_every": every.Milliseconds()})
	return moved.RowsAffected == 1, db.Failed("move the device authorization "+d.ID, moved.Error)
}

// EndDevice records how a device authorization ended, and forgets its codes. One that has
// led to a grant stays so. False if it is not there, or was ended so before.
func (s *Rows) EndDevice(ctx context.Context, d *Device, state DeviceState, end DeviceEnd) (bool, error) {
	told, err := json.Marshal(end)
	if err != nil {
		return false, db.Failed("end the device authorization "+d.ID, err)
	}
	sealed, err := s.db.SealJSON(deviceSecrets{}, "device_authorizations", d.ConnectionID, "secrets")
	if err != nil {
		return false, db.Failed("end the device authorization "+d.ID, err)
	}
	ended := s.db.Writing(ctx).Model(&deviceRow{}).Where("id = ? AND state NOT IN (?, ?)", d.ID, string(state), string(DeviceAuthorized)).
		UpdateColumns(map[string]any{"state": string(state), "ended": string(told), "secrets": sealed})
	return ended.RowsAffected == 1, db.Failed("end the device authorization "+d.ID, ended.Error)
}

// DeleteOldDevices removes device authorizations that expired before a time.
func (s *Rows) DeleteOldDevices(ctx context.Context, before time.Time) error {
	return db.Failed("remove old device authorizations", s.db.Writing(ctx).Where("expires_at <= ?", db.Millis(before)).Delete(&deviceRow{}).Error)
}

func (s *Rows) deviceOf(row *deviceRow) (*Device, error) {
	d := &Device{
		ID: row.ID, ConnectionID: row.ConnectionID, ServiceID: row.ServiceID, BrowserHash: row.BrowserHash, UserID: row.UserID, LinkedBy: row.LinkedBy, Lang: row.Lang,
		PollEvery: time.Duration(row.PollEvery) * time.Millisecond, NextPollAt: db.TimeOf(row.NextPollAt), State: DeviceState(row.State),
		CreatedAt: db.TimeOf(row.CreatedAt), ExpiresAt: db.TimeOf(row.ExpiresAt),
	}
	var secrets deviceSecrets
	err := s.db.OpenJSON(row.Secrets, &secrets, "device_authorizations", row.ConnectionID, "secrets")
	if err == nil && row.Ended != "" {
		err = json.Unmarshal([]byte(row.Ended), &d.End)
	}
	d.Started, d.Scopes = secrets.Started, secrets.Scopes
	return d, db.Failed("read the device authorization of "+row.ConnectionID, err)
}
