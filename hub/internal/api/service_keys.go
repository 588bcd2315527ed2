package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/store/keydb"
)

// ServiceKey is one version of a key that the hub keeps for a service.
type ServiceKey struct {
	Key         string     `json:"key" example:"client-key" doc:"As the provider declares it"`
	KeyID       string     `json:"kid"`
	Use         string     `json:"use" enum:"signature,client_certificate,dpop"`
	Algorithm   string     `json:"alg,omitempty" example:"ES256"`
	Origin      string     `json:"origin" enum:"hub,imported"`
	UsedFrom    time.Time  `json:"used_from" doc:"From when the hub uses it, until a later version takes its place"`
	EndsAt      *time.Time `json:"ends_at,omitempty" doc:"The end of the certificate"`
	Certificate string     `json:"certificate,omitempty" doc:"PEM, public"`
	CreatedAt   time.Time  `json:"created_at"`
}

// NewServiceKey makes or imports a version of a key.
type NewServiceKey struct {
	PrivateKey string `json:"private_key,omitempty" maxLength:"65536" doc:"PEM, with its certificates for a client certificate, or the JSON file of a service account. Empty: the hub makes a key. Write-only"`
}

// ServiceKeyInput names a key of a service.
type ServiceKeyInput struct {
	NameInput
	Key string `path:"key" doc:"As the provider declares it" example:"client-key"`
}

func serviceKeyView(k keydb.Key) ServiceKey {
	v := ServiceKey{
		Key: k.Name, KeyID: k.KeyID, Use: string(k.Use), Algorithm: k.Algorithm, Origin: string(k.Origin),
		UsedFrom: k.UsedFrom.UTC(), Certificate: k.Certificate, CreatedAt: k.CreatedAt.UTC(),
	}
	if !k.EndsAt.IsZero() {
		v.EndsAt = new(k.EndsAt.UTC())
	}
	return v
}

func (a *API) registerServiceKeys() {
	huma.Register(a.huma, operation("list-service-keys", http.MethodGet, "/api/v1/services/{name}/keys", "List the keys that the hub keeps for a service", "Services", 404),
		func(ctx context.Context, in *NameInput) (*listOf[ServiceKey], error) {
			_, keys, err := a.services.Keys(ctx, in.Name)
			if err != nil {
				return nil, a.fail(err)
			}
			var items []ServiceKey
			for _, k := range keys {
				items = append(items, serviceKeyView(k))
			}
			return list(items), nil
		})
	add := operation("add-service-key", http.MethodPost, "/api/v1/services/{name}/keys/{key}", "Make or import the next version of a key", "Services", 404, 422)
	add.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, add, func(ctx context.Context, in *struct {
		ServiceKeyInput
		Body NewServiceKey
	}) (*one[ServiceKey], error) {
		var k keydb.Key
		var err error
		if in.Body.PrivateKey == "" {
			k, err = a.services.MakeKey(ctx, in.Name, in.Key)
		} else {
			k, err = a.services.ImportKey(ctx, in.Name, in.Key, in.Body.PrivateKey)
		}
		if err != nil {
			return nil, a.fail(err)
		}
		return &one[ServiceKey]{serviceKeyView(k)}, nil
	})
	huma.Register(a.huma, operation("remove-service-key", http.MethodDelete, "/api/v1/services/{name}/keys/{key}/{kid}", "Remove a version of a key at once", "Services", 404),
		func(ctx context.Context, in *struct {
			ServiceKeyInput
			KeyID string `path:"kid"`
		}) (*struct{}, error) {
			if err := a.services.RemoveKey(ctx, in.Name, in.Key, in.KeyID); err != nil {
				return nil, a.fail(err)
			}
			return nil, nil
		})
}
