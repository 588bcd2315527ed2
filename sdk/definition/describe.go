package definition

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Describe returns the provider's description.
func (d *Definition) Describe() *provider.Description {
	described := &provider.Description{
		Name: d.Name, Title: d.Title.text(), Summary: d.Summary.text(), Icon: []byte(d.Icon), DocumentationURL: d.DocumentationURL,
		SetupSteps: texts(d.SetupSteps), Notices: d.notices(),
		Lifetimes: provider.Lifetimes{
			AccessToken: d.Lifetimes.AccessToken.Span(), RefreshToken: d.Lifetimes.RefreshToken.Span(),
			RefreshTokenIdle: d.Lifetimes.RefreshTokenIdle.Span(), AuthorizationCode: d.Lifetimes.AuthorizationCode.Span(),
		},
		AutoRenew: provider.AutoRenew(d.Renewal.Auto),
		Rotation: provider.Rotation{
			Kind: provider.RotationKind(d.Renewal.Rotation), Grace: d.Renewal.Grace.Span(), RepeatSafe: d.Renewal.RepeatSafe,
		},
		RenewWindow: provider.RenewWindow{
			Kind: provider.RenewWindowKind(d.Renewal.Window), Margin: d.Renewal.Margin.Span(),
			Every: d.Renewal.Every.Span(), KeepAlive: d.Renewal.KeepAlive.Span(),
		},
		ExchangeTimeout: d.Token.Timeout.Span(), Throttles: provider.Throttles(d.Renewal.Throttles),
		OneGrantPerAccount: d.Renewal.OneGrantPerAccount, PKCE: provider.PKCENone, PublicClient: d.Token.Public || !d.requestsTokens(), StaticKey: d.StaticKey.described(),
		Hosts: d.hosts(), Options: schemaOf(d.Options), ConnectionOptions: schemaOf(d.ConnectionOptions),
		ScopeSeparator: d.ScopeSeparator, ScopesFixed: d.ScopesFixed, Keys: d.keys(),
		API: provider.API{BaseURL: d.API.BaseURL, In: provider.Placement(d.API.In), Name: d.API.Name, Prefix: d.API.Prefix},
	}
	for _, s := range d.Scopes {
		described.Scopes = append(described.Scopes, provider.Scope{Name: s.Name, Title: s.Title.text(), Default: s.Default})
	}
	for _, t := range d.TestCalls {
		described.TestCalls = append(described.TestCalls, provider.TestCall{Name: t.Name, Title: t.Title.text(), Shows: t.Shows.text(), Method: t.Method, URL: t.URL})
	}
	if a := d.Authorization; a != nil {
		described.PKCE = cmp.Or(provider.PKCE(a.PKCE), provider.PKCENone)
		described.Issuer, described.IssuerSent, described.StateNotEchoed = a.Issuer, a.IssuerSent, a.StateNotEchoed
	}
	described.Grants = provider.GrantsOf(served{d})
	for _, g := range described.Grants {
		if g.Obtains() || g == provider.GrantRefresh {
			described.ClientAuth = append(described.ClientAuth, provider.ClientAuth{Grant: g, Method: string(d.auth())})
		}
	}
	return described
}

func (d *Definition) auth() oauth.ClientAuth {
	return cmp.Or(oauth.ClientAuth(d.Token.Auth), oauth.AuthPost)
}

// keys are those that the hub keeps for the client authentication.
func (d *Definition) keys() []provider.Key {
	switch d.auth() {
	case oauth.AuthPrivateKeyJWT:
		return []provider.Key{{Name: oauth.DefaultSignatureKey, Use: provider.KeySignature, Title: provider.Text{EN: "Key of the client", RU: "Ключ клиента"}}}
	case oauth.AuthTLS, oauth.AuthSelfSignedTLS:
		return []provider.Key{{Name: oauth.DefaultCertificateKey, Use: provider.KeyClientCertificate, Title: provider.Text{EN: "Certificate of the client", RU: "Сертификат клиента"}}}
	}
	return nil
}

// notices are the document's own, then what is not verified, and what ends.
func (d *Definition) notices() []provider.Text {
	notices := texts(d.Notices)
	for _, path := range slices.Sorted(maps.Keys(d.Evidence)) {
		if e := d.Evidence[path]; !e.Kind.Proven() {
			notices = append(notices, provider.Text{EN: "Not verified: " + e.Note.EN, RU: "Не подтверждено: " + e.Note.RU})
		}
	}
	for _, end := range d.Ends {
		day := end.On.Format("2006-01-02")
		notices = append(notices, provider.Text{EN: fmt.Sprintf("From %s: %s", day, end.Title.EN), RU: fmt.Sprintf("С %s: %s", day, end.Title.RU)})
	}
	return notices
}

func texts(list []Text) []provider.Text {
	var all []provider.Text
	for _, t := range list {
		all = append(all, t.text())
	}
	return all
}

func schemaOf(options []Option) provider.Schema {
	var schema provider.Schema
	for _, o := range options {
		option := provider.Option{
			Name: o.Name, Type: provider.OptionType(o.Type), Title: o.Title.text(), Help: o.Help.text(), Required: o.Required,
			Default: o.Default, Example: o.Example, Pattern: o.Pattern, PatternHint: o.PatternHint.text(),
			Format: o.Format, Secret: o.Secret, Advanced: o.Advanced,
		}
		for _, c := range o.Choices {
			option.Choices = append(option.Choices, provider.Choice{Value: c.Value, Title: c.Title.text()})
		}
		schema.Options = append(schema.Options, option)
	}
	return schema
}

// address is one of the document's, with its path in it.
type address struct {
	path, url string
	// secret is set if client_secret is sent there.
	secret bool
}

func (d *Definition) addresses() []address {
	secret := d.auth().NeedsSecret()
	all := []address{{"token.url", d.Token.URL, secret}, {"token.refresh_url", d.Token.RefreshURL, secret}}
	if a := d.Authorization; a != nil {
		all = append(all, address{"authorization.url", a.URL, false}, address{"authorization.pushed_url", a.PushedURL, secret})
	}
	for path, e := range map[string]*Endpoint{"device.url": d.Device, "introspection.url": d.Introspection, "revocation.url": d.Revocation} {
		if e != nil {
			all = append(all, address{path, e.URL, secret && e.Header["Authorization"] == ""})
		}
	}
	if d.Userinfo != nil {
		all = append(all, address{"userinfo.url", d.Userinfo.URL, false})
	}
	slices.SortFunc(all, func(a, b address) int { return strings.Compare(a.path, b.path) })
	return slices.DeleteFunc(all, func(a address) bool { return a.url == "" })
}

// names reports whether Hosts has a pattern for what an address with other placeholders
// than those of options may become.
func (d *Definition) names(a address) bool {
	_, rest, _ := strings.Cut(a.url, "://")
	host, _, _ := strings.Cut(rest, "/")
	fixed := placeholderRE.ReplaceAllString(host, "")
	return slices.ContainsFunc(d.Hosts, func(h Host) bool {
		suffix, wild := strings.CutPrefix(h.Pattern, "*")
		return (!a.secret || h.ClientSecret) && (fixed == "" || wild && strings.HasSuffix(fixed, suffix))
	})
}

// hosts are those of the addresses, then the further ones.
func (d *Definition) hosts() []provider.Host {
	var hosts []provider.Host
	add := func(pattern string, secret bool) {
		for i, h := range hosts {
			if h.Pattern == pattern {
				hosts[i].ClientSecret = h.ClientSecret || secret
				return
			}
		}
		hosts = append(hosts, provider.Host{Pattern: pattern, ClientSecret: secret})
	}
	for _, a := range d.addresses() {
		if pattern, ok := hostPattern(a.url); ok {
			add(pattern, a.secret)
		}
	}
	for _, h := range d.Hosts {
		add(h.Pattern, h.ClientSecret)
	}
	for _, call := range d.TestCalls {
		if u, err := url.Parse(call.URL); err == nil && u.Host != "" && !strings.Contains(u.Host, "{") {
			add(u.Host, false)
		}
	}
	return hosts
}
