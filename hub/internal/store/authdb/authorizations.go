package authdb

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type authorizationRow struct {
	ID           string `gorm:"primaryKey"`
	StateHash    string
	ServiceID    string
	ConnectionID *string
	BrowserHash  string
	UserID       string
	Secrets      []byte
	RedirectURI  string
	ReturnTo     string
	Lang         string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	ExpiresAt    int64
}

// TableName pins the table.
func (authorizationRow) TableName() string { return "authorizations" }

// authorizationSecrets is what is sealed of an authorization.
type authorizationSecrets struct {
	Verifier string `json:"verifier,omitempty"`
	Nonce    string `json:"nonce,omitempty"`
	Data     []byte `json:"data,omitempty"`
	// Scopes are no secret, but changing them in the database would ask for other ones.
	Scopes []string `json:"scopes,omitempty"`
}

// Authorization was started and awaits its callback. It never prints its secrets.
type Authorization struct {
	ID string
	// StateHash is the hash of the state parameter; the state itself is not kept.
	StateHash string
	ServiceID string
	// ConnectionID is empty if the connection is made by the callback.
	ConnectionID string
	// BrowserHash is the hash of the cookie of the browser that started it.
	BrowserHash string
	UserID      string
	// Verifier is RFC 7636's code_verifier.
	Verifier string
	// Nonce is OpenID Connect's.
	Nonce string
	// Data is what the provider returned from AuthCodeURL.
	Data []byte
	// Scopes are those that were asked for; nil for one that a version before stored.
	Scopes []string
	// RedirectURI is the one that was sent: Exchange has to send the same.
	RedirectURI string
	// ReturnTo is the page of ours to go back to.
	ReturnTo  string
	Lang      string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// LogValue implements slog.LogValuer and shows no secret.
func (a Authorization) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", a.ID), slog.String("service_id", a.ServiceID), slog.String("connection_id", a.ConnectionID))
}

// GoString keeps secrets out of %#v.
func (a Authorization) GoString() string { return "store.Authorization{" + a.ID + "}" }

// Format implements fmt.Formatter: no verb prints a secret.
func (a Authorization) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "authorization %s", a.ID) }

// CreateAuthorization adds an authorization that was started. Errors:
// ErrNotFound if its service or connection is gone.
func (s *Rows) CreateAuthorization(ctx context.Context, a Authorization) error {
	row := authorizationRow{
		ID: a.ID, StateHash: a.StateHash, ServiceID: a.ServiceID, BrowserHash: a.BrowserHash, UserID: a.UserID,
		RedirectURI: a.RedirectURI, ReturnTo: a.ReturnTo, Lang: a.Lang, CreatedAt: db.Millis(a.CreatedAt), ExpiresAt: db.Millis(a.ExpiresAt),
	}
	if a.ConnectionID != "" {
		row.ConnectionID = &a.ConnectionID
	}
	var err error
	secrets := authorizationSecrets{Verifier: a.Verifier, Nonce: a.Nonce, Data: a.Data, Scopes: a.Scopes}
	if row.Secrets, err = s.db.SealJSON(secrets, "authorizations", a.ID, "secrets"); err == nil {
		err = s.db.Writing(ctx).Create(&row).Error
	}
	return db.Failed("begin the authorization "+a.ID, err)
}

// TakeAuthorization removes the authorization of a state and returns it, in one
// statement: of any number of callbacks with the same state exactly one gets it.
// Errors: ErrNotFound; ErrExpired, which is one too.
func (s *Rows) TakeAuthorization(ctx context.Context, stateHash string, now time.Time) (*Authorization, error) {
	return s.takeAuthorization(s.db.Writing(ctx).Where("state_hash = ?", stateHash), now)
}

// TakeAuthorizationOf is TakeAuthorization for the callback of a browser that holds one
// of these secrets. The authorization of another browser stays: a request without the
// secret, as of a scanner or a prefetch, does not consume it. Errors: as
// TakeAuthorization.
func (s *Rows) TakeAuthorizationOf(ctx context.Context, stateHash string, browserHashes []string, now time.Time) (*Authorization, error) {
	return s.takeAuthorization(s.db.Writing(ctx).Where("state_hash = ? AND browser_hash IN ?", stateHash, browserHashes), now)
}

// AuthorizationOf reads the authorization of a state without taking it; it may have
// expired. Errors: ErrNotFound.
func (s *Rows) AuthorizationOf(ctx context.Context, stateHash string) (*Authorization, error) {
	var row authorizationRow
	if err := s.db.Reading(ctx).Where("state_hash = ?", stateHash).Take(&row).Error; err != nil {
		return nil, db.Failed("read the authorization of a state", err)
	}
	return s.authorizationOf(&row)
}

// AuthorizationByBrowser reads the newest authorization of a service that a browser with
// one of these secrets has started and that has not expired, without taking it. Errors:
// ErrNotFound.
func (s *Rows) AuthorizationByBrowser(ctx context.Context, serviceID string, browserHashes []string, now time.Time) (*Authorization, error) {
	var row authorizationRow
	err := s.db.Reading(ctx).Where("service_id = ? AND browser_hash IN ? AND expires_at > ?", serviceID, browserHashes, db.Millis(now)).
		Order("created_at DESC, id DESC").Take(&row).Error
	if err != nil {
		return nil, db.Failed("read the authorization of a browser", err)
	}
	return s.authorizationOf(&row)
}

// TakeAuthorizationByBrowser takes the newest authorization of a service that a
// browser has started and that has not expired. It is for services that drop the
// state parameter. Errors: ErrNotFound.
func (s *Rows) TakeAuthorizationByBrowser(ctx context.Context, serviceID string, browserHashes []string, now time.Time) (*Authorization, error) {
	newest := s.db.Writing(ctx).Model(&authorizationRow{}).Select("id").
		Where("service_id = ? AND browser_hash IN ? AND expires_at > ?", serviceID, browserHashes, db.Millis(now)).
		Order("created_at DESC, id DESC").Limit(1)
	return s.takeAuthorization(s.db.Writing(ctx).Where("id = (?)", newest), now)
}

func (s *Rows) takeAuthorization(query *gorm.DB, now time.Time) (*Authorization, error) {
	const tried = "take the authorization"
	var rows []authorizationRow
	if err := query.Clauses(clause.Returning{}).Delete(&rows).Error; err != nil {
		return nil, db.Failed(tried, err)
	}
	if len(rows) == 0 {
		return nil, db.Failed(tried, db.ErrNotFound)
	}
	if rows[0].ExpiresAt <= db.Millis(now) {
		return nil, db.Failed(tried, db.ErrExpired)
	}
	return s.authorizationOf(&rows[0])
}

// PendingAuthorization reads the newest authorization that a user has started
// for a connection, without taking it; it may have expired. Errors: ErrNotFound.
func (s *Rows) PendingAuthorization(ctx context.Context, connectionID, userID string) (*Authorization, error) {
	var row authorizationRow
	err := s.db.Reading(ctx).Where("connection_id = ? AND user_id = ?", connectionID, userID).
		Order("created_at DESC, id DESC").Take(&row).Error
	if err != nil {
		return nil, db.Failed("read the pending authorization of "+connectionID, err)
	}
	return s.authorizationOf(&row)
}

// DeleteExpiredAuthorizations removes those that cannot be finished any more and returns
// their number.
func (s *Rows) DeleteExpiredAuthorizations(ctx context.Context, now time.Time) (int64, error) {
	if err := s.deleteExpiredOffers(ctx, now); err != nil {
		return 0, err
	}
	result := s.db.Writing(ctx).Where("expires_at <= ?", db.Millis(now)).Delete(&authorizationRow{})
	return result.RowsAffected, db.Failed("remove expired authorizations", result.Error)
}

func (s *Rows) authorizationOf(row *authorizationRow) (*Authorization, error) {
	a := &Authorization{
		ID: row.ID, StateHash: row.StateHash, ServiceID: row.ServiceID, BrowserHash: row.BrowserHash, UserID: row.UserID,
		RedirectURI: row.RedirectURI, ReturnTo: row.ReturnTo, Lang: row.Lang,
		CreatedAt: db.TimeOf(row.CreatedAt), ExpiresAt: db.TimeOf(row.ExpiresAt),
	}
	if row.ConnectionID != nil {
		a.ConnectionID = *row.ConnectionID
	}
	var secrets authorizationSecrets
	if err := s.db.OpenJSON(row.Secrets, &secrets, "authorizations", row.ID, "secrets"); err != nil {
		return nil, db.Failed("read the authorization "+row.ID, err)
	}
	a.Verifier, a.Nonce, a.Data, a.Scopes = secrets.Verifier, secrets.Nonce, secrets.Data, secrets.Scopes
	return a, nil
}
