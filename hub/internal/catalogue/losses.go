package catalogue

import (
	"fmt"
	"slices"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// lossesOf names what a service uses, the provider gave until now, and its next
// version does not give any more. before is the provider's description, next the one
// of the new version; neither is prepared for the service. Options that are set and gone
// are found by Accept.
func lossesOf(svc service.Service, before, next provider.Description) []string {
	uses := before
	if svc.Description != nil {
		uses = *svc.Description
	}
	var losses []string
	lose := func(format string, args ...any) {
		losses = append(losses, "the service "+svc.Name+" "+fmt.Sprintf(format, args...))
	}
	for _, g := range before.Grants {
		if slices.Contains(uses.Grants, g) && !slices.Contains(next.Grants, g) {
			lose("%s", lostGrant(g))
		}
	}
	renews := uses.AutoRenew != "" && uses.AutoRenew != provider.AutoRenewNone
	if renews && before.AutoRenew != provider.AutoRenewNone && next.AutoRenew == provider.AutoRenewNone {
		lose("would not renew by itself any more (auto_renew)")
	}
	if len(svc.Scopes) > 0 && next.ScopesFixed && !before.ScopesFixed {
		lose("could not request its scopes any more (scopes_fixed)")
	}
	if len(svc.Scopes) > 1 && separator(next) != separator(before) {
		lose("would send its scopes joined by %q instead of %q (scope_separator)", separator(next), separator(before))
	}
	if was, is := before.API, next.API; was.In != "" && (was.In != is.In || was.Name != is.Name || was.Prefix != is.Prefix) {
		lose("would have its processes attach the token otherwise (api)")
	}
	if svc.ClientSecret == "" && before.PublicClient && !next.PublicClient {
		lose("would need a client secret (public_client)")
	}
	return losses
}

func separator(d provider.Description) string {
	if d.ScopeSeparator == "" {
		return " "
	}
	return d.ScopeSeparator
}

// lostGrant describes what a service loses without an operation.
func lostGrant(g provider.Grant) string {
	switch g {
	case provider.GrantRefresh:
		return "could not renew its connections any more (refresh)"
	case provider.GrantRevoke:
		return "could not give its grants back any more (revoke)"
	case provider.GrantIdentify:
		return "could not tell whose a grant is any more (identify)"
	default:
		return fmt.Sprintf("could not use the grant any more (%s)", g)
	}
}
