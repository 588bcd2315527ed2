package oauth

import "github.com/evergrant/evergrant/sdk/provider"

// What a provider may serve beyond core, under short names for the tables below.
type (
	revokes    = provider.Revoker
	identifies = provider.Identifier
	trusts     = provider.ClientCredentialsGrant
	prepares   = provider.ServicePreparer
)

// wanted selects the optional methods of a Config.
type wanted struct{ revokes, identifies, trusts bool }

// compose gives p the wanted methods and no others, because the hub determines by type
// assertion what a provider serves. Go composes types at compile time, hence one case for
// each combination.
func compose(p core, want wanted) provider.Provider {
	r, i, t := revoker{p}, identifier{p}, clientCredentials{p}
	switch want {
	case wanted{revokes: true}:
		return struct {
			core
			revokes
		}{p, r}
	case wanted{identifies: true}:
		return struct {
			core
			identifies
		}{p, i}
	case wanted{revokes: true, identifies: true}:
		return struct {
			core
			revokes
			identifies
		}{p, r, i}
	case wanted{trusts: true}:
		return struct {
			core
			trusts
		}{p, t}
	case wanted{revokes: true, trusts: true}:
		return struct {
			core
			revokes
			trusts
		}{p, r, t}
	case wanted{identifies: true, trusts: true}:
		return struct {
			core
			identifies
			trusts
		}{p, i, t}
	case wanted{revokes: true, identifies: true, trusts: true}:
		return struct {
			core
			revokes
			identifies
			trusts
		}{p, r, i, t}
	}
	return p
}

// composePreparer is compose with provider.ServicePreparer.
func composePreparer(p core, want wanted) provider.Provider {
	s, r, i, t := preparer{p.c.Prepare}, revoker{p}, identifier{p}, clientCredentials{p}
	switch want {
	case wanted{revokes: true}:
		return struct {
			core
			prepares
			revokes
		}{p, s, r}
	case wanted{identifies: true}:
		return struct {
			core
			prepares
			identifies
		}{p, s, i}
	case wanted{revokes: true, identifies: true}:
		return struct {
			core
			prepares
			revokes
			identifies
		}{p, s, r, i}
	case wanted{trusts: true}:
		return struct {
			core
			prepares
			trusts
		}{p, s, t}
	case wanted{revokes: true, trusts: true}:
		return struct {
			core
			prepares
			revokes
			trusts
		}{p, s, r, t}
	case wanted{identifies: true, trusts: true}:
		return struct {
			core
			prepares
			identifies
			trusts
		}{p, s, i, t}
	case wanted{revokes: true, identifies: true, trusts: true}:
		return struct {
			core
			prepares
			revokes
			identifies
			trusts
		}{p, s, r, i, t}
	}
	return struct {
		core
		prepares
	}{p, s}
}
