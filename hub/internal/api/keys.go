package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Key is an API key without its secret part.
type Key struct {
	ID             string     `json:"id"`
	Title          string     `json:"title"`
	Prefix         string     `json:"prefix" doc:"How the key begins"`
	Scopes         []string   `json:"scopes"`
	AllConnections bool       `json:"all_connections"`
	Connections    []string   `json:"connections,omitempty" doc:"Names of the allowed connections"`
	Tags           []string   `json:"tags,omitempty" doc:"Connections with one of these tags are allowed too"`
	Addresses      []string   `json:"addresses,omitempty" doc:"Networks from which it works; any if empty"`
	Replaces       string     `json:"replaces,omitempty" doc:"Id of the key in whose place it was made"`
	ExpiresAt      *time.Time `json:"expires_at,omitempty"`
	RevokedAt      *time.Time `json:"revoked_at,omitempty"`
	LastUsedAt     *time.Time `json:"last_used_at,omitempty"`
	CreatedAt      time.Time  `json:"created_at"`
	CreatedBy      string     `json:"created_by,omitempty" doc:"Id of the person who made it; key: and the id of the key that did; or hub"`
}

// KeyBody is a key to be made.
type KeyBody struct {
	Title          string     `json:"title"`
	Scopes         []string   `json:"scopes,omitempty" doc:"token:read by default" enum:"token:read,connection:read,audit:read,metrics:read,admin:*"`
	AllConnections bool       `json:"all_connections,omitempty"`
	Connections    []string   `json:"connections,omitempty" doc:"Names of the allowed connections"`
	Tags           []string   `json:"tags,omitempty" doc:"Allow connections that have one of these tags, future ones too"`
	Addresses      []string   `json:"addresses,omitempty" doc:"IP addresses and networks from which it works; any if empty" example:"[\"203.0.113.7\",\"10.0.0.0/8\"]"`
	ExpiresAt      *time.Time `json:"expires_at,omitempty"`
}

// RotateBody says how an old key ends.
type RotateBody struct {
	OverlapSeconds int64 `json:"overlap_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long the old key works beside the new one; 0 ends it at once"`
}

// CreatedKey is a new key: the only time that it is shown.
type CreatedKey struct {
	Key
	Secret string `json:"key" doc:"The key itself; it cannot be shown again"`
}

func keyView(k peopledb.APIKey, names map[string]string) Key {
	v := Key{
		ID: k.ID, Title: k.Title, Prefix: k.Prefix, Scopes: k.Scopes, AllConnections: k.AllConnections,
		ExpiresAt: orAbsent(k.ExpiresAt), RevokedAt: orAbsent(k.RevokedAt), LastUsedAt: orAbsent(k.LastUsedAt), CreatedAt: k.CreatedAt.UTC(),
		Tags: k.Tags, Addresses: k.Addresses, Replaces: k.Replaces, CreatedBy: k.CreatedBy,
	}
	for _, id := range k.ConnectionIDs {
		v.Connections = append(v.Connections, names[id])
	}
	return v
}

func (a *API) registerKeys() {
	huma.Register(a.huma, operation("list-api-keys", http.MethodGet, "/api/v1/api-keys", "List API keys", "API keys"),
		func(ctx context.Context, _ *struct{}) (*listOf[Key], error) {
			all, err := a.keys.List(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			names, err := a.connectionNames(ctx, all)
			if err != nil {
				return nil, a.fail(err)
			}
			var items []Key
			for _, k := range all {
				items = append(items, keyView(k, names))
			}
			return list(items), nil
		})
	create := operation("create-api-key", http.MethodPost, "/api/v1/api-keys", "Create an API key; it is shown once", "API keys", 404, 422)
	create.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, create, a.createKey)
	rotate := operation("rotate-api-key", http.MethodPost, "/api/v1/api-keys/{id}/rotate", "Make a key that may do the same; the old one ends", "API keys", 404, 422)
	rotate.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, rotate, a.rotateKey)
	huma.Register(a.huma, operation("revoke-api-key", http.MethodDelete, "/api/v1/api-keys/{id}", "Revoke an API key", "API keys", 404),
		func(ctx context.Context, in *struct {
			ID string `path:"id"`
		}) (*struct{}, error) {
			if err := a.keys.Revoke(ctx, in.ID); err != nil {
				return nil, a.fail(err)
			}
			return nil, nil
		})
}

func (a *API) createKey(ctx context.Context, in *one[KeyBody]) (*one[CreatedKey], error) {
	draft := keys.Draft{
		Title: in.Body.Title, Scopes: in.Body.Scopes, All: in.Body.AllConnections, Connections: in.Body.Connections, Tags: in.Body.Tags, Addresses: in.Body.Addresses,
	}
	if in.Body.ExpiresAt != nil {
		draft.ExpiresAt = *in.Body.ExpiresAt
	}
	made, err := a.keys.Create(ctx, draft)
	if err != nil {
		return nil, a.fail(err)
	}
	names := map[string]string{}
	for _, c := range made.Connections {
		names[c.ID] = c.Name
	}
	return &one[CreatedKey]{CreatedKey{Key: keyView(made.Key, names), Secret: made.Secret}}, nil
}

func (a *API) rotateKey(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body RotateBody
}) (*one[CreatedKey], error) {
	made, err := a.keys.Rotate(ctx, in.ID, time.Duration(in.Body.OverlapSeconds)*time.Second)
	if errors.Is(err, access.ErrBadKey) {
		return nil, problem(http.StatusConflict, "key-ended", "The key has ended", "A key that is revoked or expired cannot be rotated; create another.")
	}
	if err != nil {
		return nil, a.fail(err)
	}
	names, err := a.connectionNames(ctx, []peopledb.APIKey{made.Key})
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[CreatedKey]{CreatedKey{Key: keyView(made.Key, names), Secret: made.Secret}}, nil
}

// connectionNames looks up the names of the connections that keys allow.
func (a *API) connectionNames(ctx context.Context, list []peopledb.APIKey) (map[string]string, error) {
	opened, err := a.keys.Opened(ctx, list, 0)
	names := make(map[string]string, len(opened))
	for id, c := range opened {
		names[id] = c.Name
	}
	return names, err
}
