package authflow

import (
	"context"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// disallowed returns, where an account may not authorize a connection, those that may, as
// one name; zero where it may.
func (f *Flow) disallowed(ctx context.Context, connectionID string, account provider.Account) (wanted provider.Account, err error) {
	allowed, err := f.o.Store.Grants.AllowedAccounts(ctx, connectionID)
	if err == nil && !connection.Allows(allowed, account) {
		wanted.Name = strings.Join(allowed, ", ")
	}
	return wanted, wrap("read the allowed accounts", err)
}

// refuseAccount ends an authorization by an account that may not. One whose account the
// service does not name is kept aside, for a person to decide.
func (f *Flow) refuseAccount(ctx context.Context, svc service.Service, c connection.Connection, g got, redirectURI string, failure *Failure, wanted provider.Account) error {
	failure.Wanted, failure.Got = wanted, g.account
	if g.account == (provider.Account{}) {
		return f.offer(ctx, svc, c, g, redirectURI, failure, ReasonAccountUnproven)
	}
	failure.Reason = ReasonAccountNotAllowed
	return f.fail(failure)
}
