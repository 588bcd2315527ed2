package access

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// Scopes of API keys.
const (
	ScopeTokenRead = "token:read" // pull tokens of the allowed connections
	ScopeAdmin     = "admin"      // everything that the pages do
)

// Scopes lists what a key may be given.
var Scopes = []string{ScopeTokenRead, ScopeAdmin}

// keyPrefix makes a leaked key recognisable to secret scanners.
const keyPrefix = "evg_"

// Errors of keys.
var (
	ErrNoKey     = errors.New("this request needs an API key: Authorization: Bearer <key>")
	ErrBadKey    = errors.New("the API key is unknown, revoked or expired; create another in the web hub")
	ErrForbidden = errors.New("the API key may not do this")
	ErrScope     = errors.New("no such scope")
	ErrKeyTitle  = errors.New("a key needs a title of at most 200 characters")
	ErrKeyExpiry = errors.New("a key cannot expire in the past")
)

// KeyDraft is a key to be made.
type KeyDraft struct {
	Title  string
	Scopes []string
	// AllConnections allows every connection, future ones too; otherwise
	// ConnectionIDs are allowed.
	AllConnections bool
	ConnectionIDs  []string
	ExpiresAt      time.Time // zero: does not expire
	CreatedBy      string
}

// CreateKey makes a key and returns it, the only time that it can be seen.
func (a *Access) CreateKey(ctx context.Context, draft KeyDraft) (key string, _ store.APIKey, err error) {
	now := time.Now()
	title := strings.TrimSpace(draft.Title)
	switch {
	case title == "" || len(title) > 200:
		return "", store.APIKey{}, ErrKeyTitle
	case !draft.ExpiresAt.IsZero() && draft.ExpiresAt.Before(now):
		return "", store.APIKey{}, ErrKeyExpiry
	}
	scopes := draft.Scopes
	if len(scopes) == 0 {
		scopes = []string{ScopeTokenRead}
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes, s) {
			return "", store.APIKey{}, ErrScope
		}
	}
	key = keyPrefix + randomText()
	stored := store.APIKey{
		ID: store.NewID(), Title: title, Prefix: key[:len(keyPrefix)+6], Hash: hashText(key), Scopes: scopes,
		AllConnections: draft.AllConnections, ConnectionIDs: draft.ConnectionIDs, ExpiresAt: draft.ExpiresAt,
		CreatedAt: now, CreatedBy: draft.CreatedBy,
	}
	return key, stored, a.store.CreateAPIKey(ctx, stored)
}

// BearerToken takes the key from an Authorization header (RFC 6750 section 2.1).
func BearerToken(header string) (string, error) {
	scheme, key, found := strings.Cut(strings.TrimSpace(header), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(key) == "" {
		return "", ErrNoKey
	}
	return strings.TrimSpace(key), nil
}

// HashKey is the form in which keys are stored and looked up.
func HashKey(key string) string { return hashText(key) }

// Authenticate finds the key of an Authorization header.
func (a *Access) Authenticate(ctx context.Context, header string) (store.APIKey, error) {
	key, err := BearerToken(header)
	if err != nil {
		return store.APIKey{}, err
	}
	stored, err := a.store.APIKeyByHash(ctx, hashText(key))
	if errors.Is(err, store.ErrNotFound) {
		return stored, ErrBadKey
	}
	if err != nil {
		return stored, err
	}
	return stored, Usable(stored, time.Now())
}

// Usable returns ErrBadKey for a key that is revoked or expired.
func Usable(k store.APIKey, now time.Time) error {
	if !k.RevokedAt.IsZero() || (!k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)) {
		return ErrBadKey
	}
	return nil
}

// MayAdminister reports whether a key may use the administrators' API.
func MayAdminister(k store.APIKey) bool { return slices.Contains(k.Scopes, ScopeAdmin) }
