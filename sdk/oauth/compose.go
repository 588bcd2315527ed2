package oauth

import "github.com/evergrant/evergrant/sdk/provider"

// compose gives p the methods that are asked for and no others, because the hub
// finds out what a provider serves by type assertion. Go composes types only
// beforehand, hence one case for each combination.
func compose(p core, revokes, identifies, trusts, prepares bool) provider.Provider {
	type (
		R = provider.Revoker
		I = provider.Identifier
		T = provider.ClientCredentialsGrant
		S = provider.ServicePreparer
	)
	r, i, t, s := revoker{p}, identifier{p}, clientCredentials{p}, preparer{p.c.Prepare}
	const yes, no = true, false
	switch [...]bool{revokes, identifies, trusts, prepares} {
	case [...]bool{no, no, no, yes}:
		return struct {
			core
			S
		}{p, s}
	case [...]bool{no, no, yes, no}:
		return struct {
			core
			T
		}{p, t}
	case [...]bool{no, no, yes, yes}:
		return struct {
			core
			T
			S
		}{p, t, s}
	case [...]bool{no, yes, no, no}:
		return struct {
			core
			I
		}{p, i}
	case [...]bool{no, yes, no, yes}:
		return struct {
			core
			I
			S
		}{p, i, s}
	case [...]bool{no, yes, yes, no}:
		return struct {
			core
			I
			T
		}{p, i, t}
	case [...]bool{no, yes, yes, yes}:
		return struct {
			core
			I
			T
			S
		}{p, i, t, s}
	case [...]bool{yes, no, no, no}:
		return struct {
			core
			R
		}{p, r}
	case [...]bool{yes, no, no, yes}:
		return struct {
			core
			R
			S
		}{p, r, s}
	case [...]bool{yes, no, yes, no}:
		return struct {
			core
			R
			T
		}{p, r, t}
	case [...]bool{yes, no, yes, yes}:
		return struct {
			core
			R
			T
			S
		}{p, r, t, s}
	case [...]bool{yes, yes, no, no}:
		return struct {
			core
			R
			I
		}{p, r, i}
	case [...]bool{yes, yes, no, yes}:
		return struct {
			core
			R
			I
			S
		}{p, r, i, s}
	case [...]bool{yes, yes, yes, no}:
		return struct {
			core
			R
			I
			T
		}{p, r, i, t}
	case [...]bool{yes, yes, yes, yes}:
		return struct {
			core
			R
			I
			T
			S
		}{p, r, i, t, s}
	}
	return p
}
