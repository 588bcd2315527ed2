package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// keyed is the example's storage with clients that prove themselves by a key
// (private_key_jwt). The example has none.
type keyed struct {
	*storage.Storage
	// jwksURI is where the client publishes its keys.
	jwksURI string
}

// GetClientByClientID implements op.OPStorage.
func (k keyed) GetClientByClientID(ctx context.Context, clientID string) (op.Client, error) {
	client, err := k.Storage.GetClientByClientID(ctx, clientID)
	return keyedClient{client}, err
}

// GetKeyByIDAndClientID implements op.OPStorage: it fetches the keys anew each time.
func (k keyed) GetKeyByIDAndClientID(ctx context.Context, keyID, _ string) (*jose.JSONWebKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.jwksURI, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var published jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&published); err != nil {
		return nil, err
	}
	if found := published.Key(keyID); len(found) > 0 {
		return &found[0], nil
	}
	return nil, fmt.Errorf("there is no key %q at %s", keyID, k.jwksURI)
}

type keyedClient struct{ op.Client }

// AuthMethod implements op.Client.
func (keyedClient) AuthMethod() oidc.AuthMethod { return oidc.AuthMethodPrivateKeyJWT }
