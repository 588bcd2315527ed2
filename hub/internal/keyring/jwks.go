package keyring

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Published returns the public parts of a service's keys (RFC 7517): of those in use, of
// those that will be, and of those that were until Overlap ago.
func (r *Keyring) Published(ctx context.Context, serviceID string) (jose.JSONWebKeySet, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	all, err := r.Keys(ctx, serviceID)
	if err != nil {
		return set, err
	}
	for i, k := range all {
		if k.Use == provider.KeyDPoP || !stillPublished(all[:i], k, time.Now()) {
			continue
		}
		public, err := publicOf(k)
		if err != nil {
			return set, err
		}
		set.Keys = append(set.Keys, public)
	}
	return set, nil
}

// stillPublished reports whether a version is to be published: newer are those before it.
func stillPublished(newer []keydb.Key, k keydb.Key, now time.Time) bool {
	for i := len(newer) - 1; i >= 0 && newer[i].Name == k.Name; i-- {
		if newer[i].UsedFrom.Add(Overlap).Before(now) {
			return false
		}
	}
	return true
}

func publicOf(k keydb.Key) (jose.JSONWebKey, error) {
	private, err := signerOf(k)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	public := jose.JSONWebKey{Key: private.Public(), KeyID: k.KeyID, Algorithm: k.Algorithm, Use: "sig"}
	for rest := []byte(k.Certificate); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return public, nil
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return public, err
		}
		public.Certificates = append(public.Certificates, c)
	}
}
