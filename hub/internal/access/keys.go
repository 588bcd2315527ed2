package access

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Scopes of API keys.
const (
	ScopeTokenRead      = "token:read"      // pull tokens of the allowed connections
	ScopeConnectionRead = "connection:read" // read the status of the allowed connections, no token
	ScopeAuditRead      = "audit:read"      // read the audit records
	ScopeMetricsRead    = "metrics:read"    // scrape /metrics
	ScopeAdmin          = "admin:*"         // everything that the pages do
)

// Scopes lists what a key may be given.
var Scopes = []string{ScopeTokenRead, ScopeConnectionRead, ScopeAuditRead, ScopeMetricsRead, ScopeAdmin}

// keyPrefix makes a leaked key recognisable to secret scanners.
const keyPrefix = "evg_"

// Errors of keys.
var (
	ErrNoKey     = rule("this request needs an API key: Authorization: Bearer <key>")
	ErrBadKey    = rule("the API key is unknown, revoked or expired; create another in the web hub")
	ErrForbidden = rule("the API key may not do this")
	ErrNotForKey = rule("there is no connection of this name for this API key: look at the name, or give the key the connection in the web hub")
	ErrScope     = rule("no such scope")
	ErrKeyTitle  = rule("a key needs a title of at most 200 characters")
	ErrKeyExpiry = rule("a key cannot expire in the past")
	ErrKeyFrom   = rule("an address list holds IP addresses and networks such as 203.0.113.7 or 10.0.0.0/8")
	ErrAddress   = rule("the API key may not be used from this address; its address list is set in the web hub")
)

// Bounds of a rotation.
const (
	// MostOverlap is how long an old key may go on beside the new one.
	MostOverlap = 30 * 24 * time.Hour
)

// KeyDraft is a key to be made.
type KeyDraft struct {
	Title  string
	Scopes []string
	// AllConnections allows every connection, future ones too; otherwise
	// ConnectionIDs are allowed, and whatever has one of Tags.
	AllConnections bool
	ConnectionIDs  []string
	Tags           []string
	// Addresses are IP addresses and networks from which it works; none is any.
	Addresses []string
	ExpiresAt time.Time // zero: does not expire
	CreatedBy string
	// Maker is the key that makes this one; none if a person does.
	Maker peopledb.APIKey
}

// CreateKey makes a key and returns it, the only time that it can be seen.
func (a *Access) CreateKey(ctx context.Context, draft KeyDraft) (key string, _ peopledb.APIKey, err error) {
	now := time.Now()
	title := strings.TrimSpace(draft.Title)
	switch {
	case title == "" || len(title) > 200:
		return "", peopledb.APIKey{}, ErrKeyTitle
	case !draft.ExpiresAt.IsZero() && draft.ExpiresAt.Before(now):
		return "", peopledb.APIKey{}, ErrKeyExpiry
	}
	scopes := draft.Scopes
	if len(scopes) == 0 {
		scopes = []string{ScopeTokenRead}
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes, s) {
			return "", peopledb.APIKey{}, ErrScope
		}
	}
	addresses, err := networks(draft.Addresses)
	if err != nil {
		return "", peopledb.APIKey{}, err
	}
	bounded, err := within(draft.Maker, peopledb.APIKey{
		Title: title, Scopes: scopes, AllConnections: draft.AllConnections, ConnectionIDs: draft.ConnectionIDs, Tags: draft.Tags,
		Addresses: addresses, ExpiresAt: draft.ExpiresAt, CreatedAt: now, CreatedBy: draft.CreatedBy,
	})
	if err != nil {
		return "", peopledb.APIKey{}, err
	}
	key, stored := newKey(bounded)
	return key, stored, a.store.People.CreateAPIKey(ctx, stored)
}

// newKey gives a key its identity and its secret.
func newKey(k peopledb.APIKey) (string, peopledb.APIKey) {
	key := keyPrefix + randtoken.New()
	k.ID, k.Prefix, k.Hash = store.NewID(), key[:len(keyPrefix)+6], randtoken.Hash(key)
	return key, k
}

// RotateKey makes an API key with the permissions of another one. The old one is valid
// for overlap more, so that processes can be given the new one without a failed call.
// maker is the API key that requests it, none if a person does. Errors:
// store.ErrNotFound; ErrBadKey if the old one has ended; ErrReaches.
func (a *Access) RotateKey(ctx context.Context, id string, overlap time.Duration, by string, maker peopledb.APIKey) (key string, _ peopledb.APIKey, err error) {
	old, err := a.store.People.APIKey(ctx, id)
	if err != nil {
		return "", peopledb.APIKey{}, err
	}
	now := time.Now()
	if err := Usable(old, now); err != nil {
		return "", peopledb.APIKey{}, err
	}
	next := old
	next.RevokedAt, next.LastUsedAt, next.CreatedAt, next.CreatedBy, next.Replaces = time.Time{}, time.Time{}, now, by, old.ID
	if !old.ExpiresAt.IsZero() {
		next.ExpiresAt = now.Add(old.ExpiresAt.Sub(old.CreatedAt)) // as long a life again
	}
	if next, err = within(maker, next); errors.Is(err, ErrOutlives) {
		next.ExpiresAt, err = maker.ExpiresAt, nil // as long as the requesting key
	}
	if err != nil {
		return "", peopledb.APIKey{}, err
	}
	key, next = newKey(next)
	return key, next, a.store.People.ReplaceAPIKey(ctx, next, now.Add(min(max(overlap, 0), MostOverlap)))
}

// networks brings an address list into one form.
func networks(list []string) ([]string, error) {
	var found []string
	for _, text := range list {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, err := netip.ParseAddr(text)
			if err != nil || address.Zone() != "" {
				return nil, ErrKeyFrom
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		found = append(found, network.Masked().String())
	}
	return found, nil
}

// UsableFrom returns ErrAddress for an address outside a key's list.
func UsableFrom(list []string, address string) error {
	if len(list) == 0 {
		return nil
	}
	from, err := netip.ParseAddr(address)
	if err != nil {
		return ErrAddress
	}
	from = from.Unmap().WithZone("")
	for _, text := range list {
		if network, err := netip.ParsePrefix(text); err == nil && network.Contains(from) {
			return nil
		}
	}
	return ErrAddress
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
func HashKey(key string) string { return randtoken.Hash(key) }

// Authenticate finds the key of an Authorization header that comes from an address.
// Errors: ErrNoKey, ErrBadKey, ErrAddress.
func (a *Access) Authenticate(ctx context.Context, header, address string) (peopledb.APIKey, error) {
	key, err := BearerToken(header)
	if err != nil {
		return peopledb.APIKey{}, err
	}
	stored, err := a.store.People.APIKeyByHash(ctx, randtoken.Hash(key))
	if errors.Is(err, store.ErrNotFound) {
		return stored, ErrBadKey
	}
	if err != nil {
		return stored, err
	}
	if err := Usable(stored, time.Now()); err != nil {
		return stored, err
	}
	return stored, UsableFrom(stored.Addresses, address)
}

// Usable returns ErrBadKey for a key that is revoked or expired.
func Usable(k peopledb.APIKey, now time.Time) error {
	if !k.RevokedAt.IsZero() || (!k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)) {
		return ErrBadKey
	}
	return nil
}

// MayAdminister reports whether a key may use the whole administrators' API.
func MayAdminister(k peopledb.APIKey) bool { return slices.Contains(k.Scopes, ScopeAdmin) }

// Has reports whether a key has a scope, by itself or as an administrator's.
func Has(k peopledb.APIKey, scope string) bool {
	return slices.Contains(k.Scopes, scope) || MayAdminister(k)
}
