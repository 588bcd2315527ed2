package provider

import (
	"fmt"
	"net/url"
	"slices"
)

// maxPart bounds the name of a part, with which names of connections end.
const maxPart = 20

// Algorithms are those of JWS (RFC 7518, RFC 8037) that the hub signs with.
func Algorithms() []string { return []string{"ES256", "ES384", "RS256", "PS256", "EdDSA"} }

// checkGrants checks what the grants of a description need.
func (d *Description) checkGrants() (problems []error) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if d.Login.IsZero() == slices.Contains(d.Grants, GrantLogin) {
		add("login and the grant %q belong together", GrantLogin)
	}
	if d.StaticKey.Fields.IsZero() == slices.Contains(d.Grants, GrantStatic) {
		add("static_key.fields and the grant %q belong together", GrantStatic)
	}
	if u, err := url.Parse(d.StaticKey.MadeAtURL); d.StaticKey.MadeAtURL != "" && (err != nil || u.Scheme != "https") {
		add("static_key.made_at_url must start with https://")
	}
	if d.StaticKey.Overlap < 0 {
		add("static_key.overlap must not be negative")
	}
	for i, k := range d.Keys {
		if err := k.validate(); err != nil {
			add("%w", err)
		}
		if slices.ContainsFunc(d.Keys[:i], func(x Key) bool { return x.Name == k.Name }) {
			add("key %q is there twice", k.Name)
		}
	}
	if len(d.Parts) > 0 && !slices.Contains(d.Grants, GrantAuthorizationCode) && !slices.Contains(d.Grants, GrantDevice) {
		add("parts come of an authorization by a person, so they need the grant %q or %q", GrantAuthorizationCode, GrantDevice)
	}
	for i, p := range d.Parts {
		if !nameRE.MatchString(p.Name) || len(p.Name) > maxPart || p.Title.EN == "" {
			add("part %q: a name has lower-case letters, digits and hyphens, at most %d, and title.en is required", p.Name, maxPart)
		}
		if slices.ContainsFunc(d.Parts[:i], func(x Part) bool { return x.Name == p.Name }) {
			add("part %q is there twice", p.Name)
		}
	}
	return problems
}

func (k Key) validate() error {
	switch {
	case !nameRE.MatchString(k.Name) || len(k.Name) > 63 || k.Name == KeyClientSecret:
		return fmt.Errorf("key %q: a name has lower-case letters, digits and hyphens, at most 63, and is not %q", k.Name, KeyClientSecret)
	case k.Title.EN == "":
		return fmt.Errorf("key %q: title.en is required", k.Name)
	case !slices.Contains([]KeyUse{KeySignature, KeyClientCertificate, KeyDPoP}, k.Use):
		return fmt.Errorf("key %q: the use is %q, must be signature, client_certificate or dpop", k.Name, k.Use)
	case !slices.Contains([]KeyOrigin{"", KeyFromHub, KeyImported, KeyFromEither}, k.Origin):
		return fmt.Errorf("key %q: the origin is %q, must be hub, imported or either", k.Name, k.Origin)
	case (k.Use == KeyClientCertificate) != (len(k.Algorithms) == 0):
		return fmt.Errorf("key %q: a certificate has no algorithms, any other key has", k.Name)
	case k.Use == KeyDPoP && k.Origin == KeyImported:
		return fmt.Errorf("key %q: keys for DPoP are made by the hub", k.Name)
	}
	for _, a := range k.Algorithms {
		if !slices.Contains(Algorithms(), a) {
			return fmt.Errorf("key %q: the hub has no algorithm %q, only %q", k.Name, a, Algorithms())
		}
	}
	return nil
}
