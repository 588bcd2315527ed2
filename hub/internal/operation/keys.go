package operation

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Keys are the keys that the hub keeps for services. Errors that a person has to mend
// have a method Refusal that returns true.
type Keys interface {
	// Sign returns a JWT.
	Sign(ctx context.Context, svc service.Service, req *providerplugin.SignRequest) (jwt string, err error)
	// Certificate returns a client certificate.
	Certificate(ctx context.Context, svc service.Service, name string) (*tls.Certificate, error)
	// Prover proves possession of a version of a key: of the pinned one, or, if that is
	// empty, of the one in use.
	Prover(ctx context.Context, svc service.Service, name, pinned string) (exchange.Prover, error)
}

// CodeKey is the code of an error of an operation that was not finished: a key of the
// service is missing or cannot be used.
const CodeKey = providerplugin.CodeKey

// keyError ends an operation that needs a key. It says who has to act: the operator, or
// nobody while the database is away.
func keyError(err error) error {
	refusal, ok := errors.AsType[interface {
		error
		Refusal() bool
	}](err)
	if !ok || !refusal.Refusal() {
		return provider.Errorf(provider.Transient, CodeKey, "the key of the service could not be used: %w", err)
	}
	e := provider.Errorf(provider.Blocked, CodeKey, "%w", err)
	e.Remedy = provider.Text{
		EN: "Open the page of the service and look at its keys.",
		RU: "Откройте страницу сервиса и проверьте его ключи.",
	}
	return e
}

// noKeys is a hub without keys.
type noKeys struct{}

type noKeyError struct{ service, key string }

func (e *noKeyError) Error() string {
	return fmt.Sprintf("the service %s has no key %q", e.service, e.key)
}

// Refusal says that a person has to mend it.
func (e *noKeyError) Refusal() bool { return true }

// Sign implements Keys.
func (noKeys) Sign(_ context.Context, svc service.Service, req *providerplugin.SignRequest) (string, error) {
	return "", &noKeyError{svc.Name, req.Key}
}

// Certificate implements Keys.
func (noKeys) Certificate(_ context.Context, svc service.Service, name string) (*tls.Certificate, error) {
	return nil, &noKeyError{svc.Name, name}
}

// Prover implements Keys.
func (noKeys) Prover(_ context.Context, svc service.Service, name, _ string) (exchange.Prover, error) {
	return nil, &noKeyError{svc.Name, name}
}

// authenticated is where a request goes with the keys that it names.
func (c *relay) authenticated(ctx context.Context, req *providerplugin.HTTPRequest) (to egress.Target, prover exchange.Prover, err error) {
	to = c.to
	if name := req.ClientCertificate; name != "" {
		if to.Certificate, err = c.runner.keys.Certificate(ctx, c.op.Service, name); err != nil {
			return to, nil, keyError(err)
		}
	}
	if name := req.DPoPKey; name != "" {
		if prover, err = c.runner.keys.Prover(ctx, c.op.Service, name, c.op.KeyIDs[name]); err != nil {
			return to, nil, keyError(err)
		}
	}
	return to, prover, nil
}
