package catalogue

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Revoked is the result of revoking a grant.
type Revoked struct {
	// Supported is set if the service has a way to revoke a grant.
	Supported bool
	// Sent is set if there was a grant to revoke at the service, and that was done or
	// will be.
	Sent bool
	// Err is why the grant could not be revoked at the service yet. The hub keeps the
	// tokens only to retry that, until Until.
	Err   error
	Until time.Time
}

// Word is the result for the audit record.
func (r Revoked) Word() string {
	switch {
	case r.Err != nil:
		return "not revoked yet"
	case r.Sent:
		return "revoked"
	}
	return "not revoked"
}

// Acts of the audit record about grants that could not be revoked at once.
const (
	ActRevokeFailed  = "connection.revoke_failed"
	ActRevokedLate   = "connection.revoked_late"
	ActRevokeGivenUp = "connection.revoke_given_up"
)

// Times of the retries of a revocation.
const (
	revokeFor   = 24 * time.Hour
	revokeFirst = time.Minute
	revokeMost  = time.Hour
	revokeBatch = 20
)

// OnRevocation sets the function that records the results of later revocations. Call it
// before the first act.
func (c *Catalogue) OnRevocation(note func(ctx context.Context, act, connection, detail string)) {
	c.noted = note
}

// revokeAtService revokes a grant at its service, if that supports it. If the service
// does not answer, it is retried later.
func (c *Catalogue) revokeAtService(ctx context.Context, conn connection.Connection) (Revoked, error) {
	svc, err := c.store.Services.Service(ctx, conn.ServiceID)
	if err != nil {
		return Revoked{}, err
	}
	if !slices.Contains(svc.Description.Grants, provider.GrantRevoke) {
		return Revoked{}, nil
	}
	result := Revoked{Supported: true}
	if conn.Tokens.AccessToken == "" && conn.Tokens.RefreshToken == "" {
		return result, nil
	}
	result.Sent = true
	if result.Err = c.revokeOnce(ctx, svc, conn.ForProvider(), conn.Tokens); result.Err == nil {
		return result, nil
	}
	c.log.Warn("revoke grant at service failed, retrying for a day", "connection", conn.Name, "error", result.Err)
	now := time.Now()
	result.Until = now.Add(revokeFor)
	c.noted(ctx, ActRevokeFailed, conn.Name, result.Err.Error())
	return result, c.store.Grants.PutRevocation(context.WithoutCancel(ctx), grantdb.Revocation{
		ID: store.NewID(), ServiceID: svc.ID, Connection: conn.Name, About: conn.ForProvider(), Tokens: conn.Tokens, Tries: 1, Due: now.Add(revokeFirst), Until: result.Until,
	})
}

func (c *Catalogue) revokeOnce(ctx context.Context, svc service.Service, about provider.Connection, tokens connection.TokenSet) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	now := time.Now()
	return c.runner.Revoke(ctx, &operation.Op{Service: svc.At(now), Connection: about, Now: now}, tokens.Token(now))
}

// RetryRevocations retries outstanding revocations at services. It is called every
// minute, by one replica.
func (c *Catalogue) RetryRevocations(ctx context.Context) error {
	due, err := c.store.Grants.DueRevocations(ctx, time.Now(), revokeBatch)
	if err != nil {
		return err
	}
	var problems []error
	for _, r := range due {
		problems = append(problems, c.retryRevocation(ctx, r))
	}
	return errors.Join(problems...)
}

func (c *Catalogue) retryRevocation(ctx context.Context, r grantdb.Revocation) error {
	svc, err := c.store.Services.Service(ctx, r.ServiceID)
	if err != nil {
		return err
	}
	cause, now := c.revokeOnce(ctx, svc, r.About, r.Tokens), time.Now()
	if cause == nil {
		c.noted(ctx, ActRevokedLate, r.Connection, "")
		return c.store.Grants.DeleteRevocation(ctx, r.ID)
	}
	wait := min(revokeMost, revokeFirst<<min(r.Tries, 10))
	if now.Add(wait).After(r.Until) {
		c.noted(ctx, ActRevokeGivenUp, r.Connection, cause.Error())
		return c.store.Grants.DeleteRevocation(ctx, r.ID)
	}
	r.Tries, r.Due = r.Tries+1, now.Add(wait)
	return c.store.Grants.PutRevocation(ctx, r)
}
