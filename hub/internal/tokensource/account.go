package tokensource

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// AccountMoved reports that a service names another account, or another name of the same
// one, than when the connection was authorized.
type AccountMoved struct {
	Connection    connection.Connection
	Before, After provider.Account
}

// How often a service is asked to identify the account of a grant: when a part of a
// renewal's reply has changed that may indicate it, and at long intervals in any case. It
// costs a request.
const (
	accountEvery   = 24 * time.Hour
	accountAtLeast = time.Hour
	accountTimeout = time.Minute
)

// lookAtAccount identifies the account of a renewed grant, if the service supports it and
// the interval has passed. It does not wait: the tokens are saved, and the account does
// not affect them.
func (s *Source) lookAtAccount(svc service.Service, before, after connection.Connection) {
	if svc.Description == nil || !slices.Contains(svc.Description.Grants, provider.GrantIdentify) {
		return
	}
	if !s.timeToIdentify(after.ID, hintsOf(before.Tokens) != hintsOf(after.Tokens)) {
		return
	}
	s.work.Go(func() {
		ctx, cancel := context.WithTimeout(s.tidying, accountTimeout)
		defer cancel()
		if err := s.identify(ctx, svc, after); err != nil && ctx.Err() == nil {
			s.log.Warn("identify account after renewal failed, retrying after a later renewal", "connection", after.Name, "error", err)
		}
	})
}

// timeToIdentify notes the time if it is. One that is seen for the first time is spread
// over the day: after a start a hub renews all.
func (s *Source) timeToIdentify(id string, changed bool) bool {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.identified.Get(id)
	if !ok {
		last = now.Add(-rand.N(accountEvery)) //nolint:gosec // it spreads work
	}
	since := now.Sub(last)
	ask := since >= accountEvery || changed && (!ok || since >= accountAtLeast)
	if ask {
		last = now
	}
	if ask || !ok {
		s.identified.Put(id, last)
	}
	return ask
}

func (s *Source) identify(ctx context.Context, svc service.Service, c connection.Connection) error {
	now := time.Now()
	account, err := s.runner.Identify(ctx, &operation.Op{Service: svc.At(now), Connection: c.ForProvider(), Now: now}, c.Tokens.Token(now))
	if err != nil {
		return err
	}
	if account.ID == "" || *account == c.Account {
		return nil
	}
	moved := AccountMoved{Connection: c, Before: c.Account, After: *account}
	err = s.saveMoved(context.WithoutCancel(ctx), moved)
	if err != nil {
		return fmt.Errorf("save the account of %s: %w", c.Name, err)
	}
	s.log.Warn("account of the grant changed", "connection", c.Name, "before", c.Account.ID, "now", account.ID)
	return nil
}

// saveMoved saves the account with its event and its record as one transaction. A hub that
// stops does not interrupt it: a change that is saved is not seen a second time.
func (s *Source) saveMoved(ctx context.Context, m AccountMoved) error {
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.Grants.SaveAccount(ctx, m.Connection.ID, m.Connection.Generation, m.After); err != nil {
			return err
		}
		err := s.store.Grants.AddEvent(ctx, grantdb.Event{
			ConnectionID: m.Connection.ID, ServiceID: m.Connection.ServiceID, Kind: EventAccount, At: s.Now(),
			Detail: fmt.Sprintf("the service says that the grant belongs to %s now, before to %s", called(m.After), called(m.Before)),
		})
		if err != nil {
			return err
		}
		return s.moved(ctx, m)
	})
}

// EventAccount is the kind of a store.Event: after a renewal a service named another account.
const EventAccount = "account"

func called(a provider.Account) string {
	switch {
	case a.ID == "":
		return "an unknown account"
	case a.Name == "" || a.Name == a.ID:
		return a.ID
	}
	return a.Name + " (" + a.ID + ")"
}

// hintsOf returns the parts of a token set that may indicate its account: the claims that
// name one, and the extra fields that are neither numbers nor times. Equal hints mean an
// equal account.
func hintsOf(t connection.TokenSet) string {
	extra := map[string]any{}
	for name, value := range t.Extra {
		switch v := value.(type) {
		case string:
			extra[name] = v
		case json.Number, float64, int64:
			if n := strings.ToLower(name); strings.Contains(n, "id") || strings.Contains(n, "user") || strings.Contains(n, "account") {
				extra[name] = v
			}
		}
	}
	text, _ := json.Marshal([]any{extra, claimsOf(t.IDToken)}) // strings and numbers
	return string(text)
}

type idClaims struct {
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Username string `json:"preferred_username"`
}

// claimsOf reads the claims of an ID token that name an account. The token is not
// verified: it is only compared with the previous one.
func claimsOf(idToken string) (claims idClaims) {
	parts := strings.Split(idToken, ".")
	if len(parts) != 3 {
		return claims
	}
	if data, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
		_ = json.Unmarshal(data, &claims)
	}
	return claims
}
