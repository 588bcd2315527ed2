package peopledb

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

type apiKeyRow struct {
	ID             string `gorm:"primaryKey"`
	Title          string
	Prefix         string
	Hash           string
	Scopes         string
	AllConnections bool
	ExpiresAt      int64
	RevokedAt      int64
	LastUsedAt     int64
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	CreatedBy      string
	Addresses      string
	Replaces       string
}

// TableName pins the table.
func (apiKeyRow) TableName() string { return "api_keys" }

// apiKeyConnectionRow is a row of api_key_connections.
type apiKeyConnectionRow struct {
	APIKeyID     string `gorm:"primaryKey"`
	ConnectionID string `gorm:"primaryKey"`
}

// TableName pins the table.
func (apiKeyConnectionRow) TableName() string { return "api_key_connections" }

type apiKeyTagRow struct {
	APIKeyID string `gorm:"primaryKey"`
	Tag      string `gorm:"primaryKey"`
}

// TableName pins the table.
func (apiKeyTagRow) TableName() string { return "api_key_tags" }

// APIKey is what a process shows to the hub API. The key itself is not kept.
type APIKey struct {
	ID    string
	Title string
	// Prefix is the visible beginning of the key, to distinguish keys.
	Prefix string
	// Hash is the SHA-256 of the key.
	Hash string
	// Scopes are what it may do; none has a space in it.
	Scopes []string
	// AllConnections opens all connections, ConnectionIDs some, and Tags those that
	// have one of them at the moment. A connection that is deleted vanishes from
	// the list.
	AllConnections bool
	ConnectionIDs  []string
	Tags           []string
	// Addresses are the networks from which the key works (10.0.0.0/8); none is any.
	Addresses  []string
	ExpiresAt  time.Time // zero is never
	RevokedAt  time.Time
	LastUsedAt time.Time
	CreatedAt  time.Time
	// CreatedBy is the id of a user.
	CreatedBy string
	// Replaces is the id of the key in whose place this one was made.
	Replaces string
}

// CreateAPIKey adds a key. Errors: ErrNotFound if one of its connections is gone.
func (s *Rows) CreateAPIKey(ctx context.Context, k APIKey) error {
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error { return createAPIKey(tx, k) })
	return db.Failed("add the API key "+k.Title, err)
}

// ReplaceAPIKey adds a key in the place of another one, which ends at the given
// time or at its own, whichever comes first. Errors: ErrNotFound if that one is
// not there or is revoked.
func (s *Rows) ReplaceAPIKey(ctx context.Context, k APIKey, end time.Time) error {
	return db.Failed("replace the API key "+k.Title, s.db.Transaction(ctx, func(tx *gorm.DB) error {
		result := tx.Model(&apiKeyRow{}).Where("id = ? AND revoked_at = 0", k.Replaces).Update("expires_at",
			gorm.Expr("CASE WHEN expires_at = 0 OR expires_at > CAST(? AS BIGINT) THEN CAST(? AS BIGINT) ELSE expires_at END", db.Millis(end), db.Millis(end)))
		if result.Error != nil {
			return result.Error
		}
		if result.RowsAffected == 0 {
			return db.ErrNotFound
		}
		return createAPIKey(tx, k)
	}))
}

func createAPIKey(tx *gorm.DB, k APIKey) error {
	row := apiKeyRow{
		ID: k.ID, Title: k.Title, Prefix: k.Prefix, Hash: k.Hash, Scopes: strings.Join(k.Scopes, " "),
		AllConnections: k.AllConnections, ExpiresAt: db.Millis(k.ExpiresAt), RevokedAt: db.Millis(k.RevokedAt),
		LastUsedAt: db.Millis(k.LastUsedAt), CreatedAt: db.Millis(k.CreatedAt), CreatedBy: k.CreatedBy,
		Addresses: strings.Join(k.Addresses, " "), Replaces: k.Replaces,
	}
	links := make([]apiKeyConnectionRow, 0, len(k.ConnectionIDs))
	for _, id := range k.ConnectionIDs {
		links = append(links, apiKeyConnectionRow{APIKeyID: k.ID, ConnectionID: id})
	}
	tags := make([]apiKeyTagRow, 0, len(k.Tags))
	for _, tag := range k.Tags {
		tags = append(tags, apiKeyTagRow{APIKeyID: k.ID, Tag: tag})
	}
	err := tx.Create(&row).Error
	if err == nil && len(links) > 0 {
		err = tx.Create(&links).Error
	}
	if err == nil && len(tags) > 0 {
		err = tx.Create(&tags).Error
	}
	return err
}

// APIKeyByHash reads a key by the hash of its text; it may be revoked or have
// expired. Errors: ErrNotFound.
func (s *Rows) APIKeyByHash(ctx context.Context, hash string) (APIKey, error) {
	return s.apiKey(ctx, "hash = ?", hash)
}

// APIKey reads a key. Errors: ErrNotFound.
func (s *Rows) APIKey(ctx context.Context, id string) (APIKey, error) {
	return s.apiKey(ctx, "id = ?", id)
}

func (s *Rows) apiKey(ctx context.Context, where, value string) (APIKey, error) {
	var rows []apiKeyRow
	if err := s.db.Reading(ctx).Where(where, value).Limit(1).Find(&rows).Error; err != nil {
		return APIKey{}, db.Failed("read an API key", err)
	}
	if len(rows) == 0 {
		return APIKey{}, db.Failed("read an API key", db.ErrNotFound)
	}
	keys, err := s.apiKeysOf(ctx, rows)
	if err != nil {
		return APIKey{}, err
	}
	return keys[0], nil
}

// APIKeys reads all keys, newest first.
func (s *Rows) APIKeys(ctx context.Context) ([]APIKey, error) {
	var rows []apiKeyRow
	if err := s.db.Reading(ctx).Order("created_at DESC, id DESC").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the API keys", err)
	}
	return s.apiKeysOf(ctx, rows)
}

// CountKeysNaming counts the keys, usable at a time, that name one of the connections that a
// filter selects.
func (s *Rows) CountKeysNaming(ctx context.Context, f grantdb.Filter, now time.Time) (int, error) {
	var n int64
	err := s.db.Reading(ctx).Model(&apiKeyConnectionRow{}).Distinct("api_key_id").Where("connection_id IN (?)", s.grants.Chosen(ctx, f).Select("id")).
		Where("api_key_id IN (SELECT id FROM api_keys WHERE revoked_at = 0 AND (expires_at = 0 OR expires_at > ?))", db.Millis(now)).Count(&n).Error
	return int(n), db.Failed("count the API keys", err)
}

// RevokeAPIKey ends an API key permanently; the time of an earlier revocation stays.
// Errors: ErrNotFound.
func (s *Rows) RevokeAPIKey(ctx context.Context, id string, at time.Time) error {
	result := s.db.Writing(ctx).Model(&apiKeyRow{}).Where("id = ?", id).
		Update("revoked_at", gorm.Expr("CASE WHEN revoked_at = 0 THEN CAST(? AS BIGINT) ELSE revoked_at END", db.Millis(at)))
	return db.Changed("revoke the API key "+id, result)
}

// TouchAPIKey notes when a key was used last. It is a write: the caller calls it
// at most once a minute for a key.
func (s *Rows) TouchAPIKey(ctx context.Context, id string, at time.Time) error {
	return db.Failed("note the use of an API key", s.db.Writing(ctx).Model(&apiKeyRow{}).
		Where("id = ? AND last_used_at < ?", id, db.Millis(at)).Update("last_used_at", db.Millis(at)).Error)
}

func (s *Rows) apiKeysOf(ctx context.Context, rows []apiKeyRow) ([]APIKey, error) {
	query := s.db.Reading(ctx).Order("connection_id")
	if len(rows) == 1 {
		query = query.Where("api_key_id = ?", rows[0].ID)
	}
	var links []apiKeyConnectionRow
	if err := query.Find(&links).Error; err != nil {
		return nil, db.Failed("read the connections of API keys", err)
	}
	connections := map[string][]string{}
	for _, link := range links {
		connections[link.APIKeyID] = append(connections[link.APIKeyID], link.ConnectionID)
	}
	query = s.db.Reading(ctx).Order("tag")
	if len(rows) == 1 {
		query = query.Where("api_key_id = ?", rows[0].ID)
	}
	var tagged []apiKeyTagRow
	if err := query.Find(&tagged).Error; err != nil {
		return nil, db.Failed("read the tags of API keys", err)
	}
	tags := map[string][]string{}
	for _, row := range tagged {
		tags[row.APIKeyID] = append(tags[row.APIKeyID], row.Tag)
	}
	keys := make([]APIKey, 0, len(rows))
	for _, row := range rows {
		keys = append(keys, APIKey{
			ID: row.ID, Title: row.Title, Prefix: row.Prefix, Hash: row.Hash, Scopes: strings.Fields(row.Scopes),
			AllConnections: row.AllConnections, ConnectionIDs: connections[row.ID], ExpiresAt: db.TimeOf(row.ExpiresAt),
			RevokedAt: db.TimeOf(row.RevokedAt), LastUsedAt: db.TimeOf(row.LastUsedAt), CreatedAt: db.TimeOf(row.CreatedAt),
			CreatedBy: row.CreatedBy, Tags: tags[row.ID], Addresses: append([]string(nil), strings.Fields(row.Addresses)...), Replaces: row.Replaces,
		})
	}
	return keys, nil
}
