package connection

import (
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Allows reports whether an account may authorize a connection that states which ones may:
// by its id, its name, or the domain of its name, such as "@example.org". None stated is
// any.
func Allows(allowed []string, account provider.Account) bool {
	if len(allowed) == 0 {
		return true
	}
	name := strings.ToLower(strings.TrimSpace(account.Name))
	return slices.ContainsFunc(allowed, func(a string) bool {
		if strings.HasPrefix(a, "@") {
			_, domain, found := strings.Cut(name, "@")
			return found && domain == a[1:]
		}
		return account.ID != "" && a == strings.ToLower(account.ID) || name != "" && a == name
	})
}

// Accounts are the accounts that a person states, in the form in which Allows takes them:
// one a line, lower case, each once, in order.
func Accounts(stated []string) []string {
	accounts := make([]string, 0, len(stated))
	for _, a := range stated {
		if a = strings.ToLower(strings.TrimSpace(a)); a != "" {
			accounts = append(accounts, a)
		}
	}
	slices.Sort(accounts)
	return slices.Compact(accounts)
}
