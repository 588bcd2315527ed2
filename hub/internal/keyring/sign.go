package keyring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Lives of signed assertions.
const (
	defaultLife = time.Minute
	mostLife    = time.Hour
)

// Sign implements operation.Keys. Errors: *MissingError and those of claims that cannot be
// signed.
func (r *Keyring) Sign(ctx context.Context, svc service.Service, req *providerplugin.SignRequest) (string, error) {
	claims, err := completed(req, time.Now())
	if err != nil {
		return "", err
	}
	key, err := r.signingKey(ctx, svc, req.Key)
	if err != nil {
		return "", err
	}
	return sign(key, req.Type, claims)
}

// completed are the claims of a request with the time and a number of their own.
func completed(req *providerplugin.SignRequest, now time.Time) (map[string]any, error) {
	var claims map[string]any
	if err := json.Unmarshal(req.Claims, &claims); err != nil || claims == nil {
		return nil, errors.New("the claims to sign are no JSON object")
	}
	life := req.Lifetime
	if life <= 0 {
		life = defaultLife
	}
	whole := map[string]any{"iat": now.Unix(), "exp": now.Add(min(life, mostLife)).Unix(), "jti": randtoken.New()}
	maps.Copy(whole, claims)
	return whole, nil
}

// signingKey is the key that a request names: a declared one, or the client secret.
func (r *Keyring) signingKey(ctx context.Context, svc service.Service, name string) (jose.SigningKey, error) {
	if name == provider.KeyClientSecret {
		if len(svc.ClientSecret) < 32 { // RFC 7518 section 3.2
			return jose.SigningKey{}, fmt.Errorf("the client secret of %s is shorter than the 32 bytes that client_secret_jwt needs", svc.Name)
		}
		return jose.SigningKey{Algorithm: jose.HS256, Key: []byte(svc.ClientSecret)}, nil
	}
	k, err := r.key(ctx, svc, name, "", provider.KeySignature)
	if err != nil {
		return jose.SigningKey{}, err
	}
	return signingKeyOf(k)
}

func signingKeyOf(k keydb.Key) (jose.SigningKey, error) {
	private, err := signerOf(k)
	return jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: jose.JSONWebKey{Key: private, KeyID: k.KeyID}}, err
}

// sign makes a JWT in compact serialization.
func sign(key jose.SigningKey, typ string, claims map[string]any) (string, error) {
	if typ == "" {
		typ = "JWT"
	}
	return signed(key, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)), claims)
}

func signed(key jose.SigningKey, options *jose.SignerOptions, claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		return "", fmt.Errorf("the key cannot sign: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode the claims: %w", err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign the claims: %w", err)
	}
	return jws.CompactSerialize()
}
