package keyring

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Certificate returns the client certificate in use (RFC 8705). Errors: *MissingError,
// *InvalidError if it has expired.
func (r *Keyring) Certificate(ctx context.Context, svc service.Service, name string) (*tls.Certificate, error) {
	k, err := r.key(ctx, svc, name, "", provider.KeyClientCertificate)
	if err != nil {
		return nil, err
	}
	if !k.EndsAt.After(time.Now()) {
		return nil, &InvalidError{Reason: ReasonEnded}
	}
	private, err := signerOf(k)
	if err != nil {
		return nil, err
	}
	certificate := &tls.Certificate{PrivateKey: private}
	for rest := []byte(k.Certificate); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate.Certificate = append(certificate.Certificate, block.Bytes)
	}
	return certificate, nil
}
