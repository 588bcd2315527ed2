package connections

import (
	"context"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
)

// Bounds of what is stated of accounts.
const (
	mostAccounts   = 50
	longestAccount = 200
)

// SetAllowedAccounts states which accounts may authorize a connection; none is any. What
// is granted stays as it is. Errors: *catalogue.InvalidError, store.ErrNotFound.
func (x *Connections) SetAllowedAccounts(ctx context.Context, w Which, stated []string) (connection.Connection, error) {
	accounts := connection.Accounts(stated)
	a := about("connection.accounts", access.ActManage, w, "accounts", strings.Join(accounts[:min(len(accounts), mostAccounts)], " "))
	c, _, err := x.changed(ctx, a, w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		if err := checkAccounts(accounts); err != nil {
			return c, err
		}
		return c, x.o.Store.Grants.SetAllowedAccounts(ctx, c.ID, accounts)
	})
	return c, err
}

func checkAccounts(accounts []string) error {
	invalid := len(accounts) > mostAccounts
	for _, a := range accounts {
		invalid = invalid || a == "@" || len(a) > longestAccount
	}
	if !invalid {
		return nil
	}
	return &catalogue.InvalidError{Problems: []catalogue.Problem{{Field: "accounts", Message: i18n.Words{
		EN: "State at most 50 accounts of at most 200 characters; a domain is written as @example.org.", RU: "Укажите не больше 50 аккаунтов, каждый не длиннее 200 символов; домен пишется так: @example.org.",
	}}}}
}
