package authflow

import (
	"context"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/connection"
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

// refusalOf is why an account that may not authorize a connection is refused. A grant whose
// account the service does not name is kept aside, for a person to decide.
func refusalOf(account provider.Account) Reason {
	if account == (provider.Account{}) {
		return ReasonAccountUnproven
	}
	return ReasonAccountNotAllowed
}
