package providerplugin

import (
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

func v1Description(d *provider.Description) (*providerv1.Description, error) {
	options, err := v1Schema(d.Options)
	if err != nil {
		return nil, err
	}
	connectionOptions, err := v1Schema(d.ConnectionOptions)
	if err != nil {
		return nil, err
	}
	login, err := v1Schema(d.Login)
	if err != nil {
		return nil, err
	}
	static, err := v1StaticKey(d.StaticKey)
	if err != nil {
		return nil, err
	}
	w := &providerv1.Description{
		Name: d.Name, Title: v1Text(d.Title), Summary: v1Text(d.Summary), IconSvg: d.Icon,
		DocumentationUrl: d.DocumentationURL, SetupSteps: v1Texts(d.SetupSteps), Notices: v1Texts(d.Notices),

		AccessTokenLifetime:       v1Duration(d.Lifetimes.AccessToken),
		RefreshTokenLifetime:      v1Duration(d.Lifetimes.RefreshToken),
		RefreshTokenIdleLifetime:  v1Duration(d.Lifetimes.RefreshTokenIdle),
		AuthorizationCodeLifetime: v1Duration(d.Lifetimes.AuthorizationCode),

		RotationGrace: v1Duration(d.Rotation.Grace), RotationRepeatSafe: d.Rotation.RepeatSafe,
		RenewMargin: v1Duration(d.RenewWindow.Margin), RenewEvery: v1Duration(d.RenewWindow.Every), KeepAlive: v1Duration(d.RenewWindow.KeepAlive),
		ExchangeTimeout: v1Duration(d.ExchangeTimeout), OneGrantPerAccount: d.OneGrantPerAccount,
		StateNotEchoed: d.StateNotEchoed, Issuer: d.Issuer, IssuerSent: d.IssuerSent, PublicClient: d.PublicClient,

		OptionsSchemaJson: options, ConnectionOptionsSchemaJson: connectionOptions, LoginSchemaJson: login, StaticKey: static,
		ScopeSeparator: d.ScopeSeparator, ScopesFixed: d.ScopesFixed,
		Api: &providerv1.Api{BaseUrl: d.API.BaseURL, Name: d.API.Name, Prefix: d.API.Prefix},
	}
	for _, k := range d.Keys {
		w.Keys = append(w.Keys, &providerv1.Key{Name: k.Name, Title: v1Text(k.Title), Algorithms: k.Algorithms, Steps: v1Texts(k.Steps), Optional: k.Optional})
	}
	for _, p := range d.Parts {
		w.Parts = append(w.Parts, &providerv1.Part{Name: p.Name, Title: v1Text(p.Title)})
	}
	if err := v1Words(d, w); err != nil {
		return nil, fmt.Errorf("provider %q: %w", d.Name, err)
	}
	for _, h := range d.Hosts {
		w.Hosts = append(w.Hosts, &providerv1.Host{Pattern: h.Pattern, ClientSecret: h.ClientSecret})
	}
	for _, s := range d.Scopes {
		w.Scopes = append(w.Scopes, &providerv1.Scope{Name: s.Name, Title: v1Text(s.Title), Default: s.Default})
	}
	for _, c := range d.TestCalls {
		w.TestCalls = append(w.TestCalls, &providerv1.TestCall{Name: c.Name, Title: v1Text(c.Title), Shows: v1Text(c.Shows), Method: c.Method, Url: c.URL})
	}
	return w, nil
}

// v1DescriptionFrom reads and validates a description.
func v1DescriptionFrom(w *providerv1.Description) (*provider.Description, error) {
	d := &provider.Description{
		Name: w.GetName(), Title: v1TextFrom(w.GetTitle()), Summary: v1TextFrom(w.GetSummary()), Icon: w.GetIconSvg(),
		DocumentationURL: w.GetDocumentationUrl(), SetupSteps: v1TextsFrom(w.GetSetupSteps()), Notices: v1TextsFrom(w.GetNotices()),
		Lifetimes: provider.Lifetimes{
			AccessToken:       w.GetAccessTokenLifetime().AsDuration(),
			RefreshToken:      w.GetRefreshTokenLifetime().AsDuration(),
			RefreshTokenIdle:  w.GetRefreshTokenIdleLifetime().AsDuration(),
			AuthorizationCode: w.GetAuthorizationCodeLifetime().AsDuration(),
		},
		Rotation: provider.Rotation{Grace: w.GetRotationGrace().AsDuration(), RepeatSafe: w.GetRotationRepeatSafe()},
		RenewWindow: provider.RenewWindow{
			Margin: w.GetRenewMargin().AsDuration(), Every: w.GetRenewEvery().AsDuration(), KeepAlive: w.GetKeepAlive().AsDuration(),
		},
		ExchangeTimeout: w.GetExchangeTimeout().AsDuration(), OneGrantPerAccount: w.GetOneGrantPerAccount(),
		StateNotEchoed: w.GetStateNotEchoed(), Issuer: clean(w.GetIssuer(), 300), IssuerSent: w.GetIssuerSent(),
		PublicClient: w.GetPublicClient(), ScopeSeparator: w.GetScopeSeparator(), ScopesFixed: w.GetScopesFixed(),
		API: provider.API{BaseURL: w.GetApi().GetBaseUrl(), Name: w.GetApi().GetName(), Prefix: w.GetApi().GetPrefix()},
	}
	for _, h := range w.GetHosts() {
		d.Hosts = append(d.Hosts, provider.Host{Pattern: h.GetPattern(), ClientSecret: h.GetClientSecret()})
	}
	for _, s := range w.GetScopes() {
		d.Scopes = append(d.Scopes, provider.Scope{Name: clean(s.GetName(), 300), Title: v1TextFrom(s.GetTitle()), Default: s.GetDefault()})
	}
	for _, c := range w.GetTestCalls() {
		d.TestCalls = append(d.TestCalls, provider.TestCall{
			Name: c.GetName(), Title: v1TextFrom(c.GetTitle()), Shows: v1TextFrom(c.GetShows()), Method: c.GetMethod(), URL: c.GetUrl(),
		})
	}
	for _, p := range w.GetParts() {
		d.Parts = append(d.Parts, provider.Part{Name: p.GetName(), Title: v1TextFrom(p.GetTitle())})
	}
	if unknown := v1WordsFrom(w, d); len(unknown) > 0 {
		d.Notices = append(d.Notices, newerWords(unknown))
	}
	if err := v1Schemas(w, d); err != nil {
		return nil, fmt.Errorf("provider %q: %w", d.Name, err)
	}
	return d, d.Validate()
}

func v1Schemas(w *providerv1.Description, d *provider.Description) error {
	if k := w.GetStaticKey(); k != nil {
		d.StaticKey = provider.StaticKey{
			MadeBy: v1TextFrom(k.GetMadeBy()), MadeAtURL: k.GetMadeAtUrl(), Steps: v1TextsFrom(k.GetSteps()), Overlap: k.GetOverlap().AsDuration(),
		}
	}
	for _, s := range []struct {
		data []byte
		to   *provider.Schema
	}{
		{w.GetOptionsSchemaJson(), &d.Options},
		{w.GetConnectionOptionsSchemaJson(), &d.ConnectionOptions},
		{w.GetLoginSchemaJson(), &d.Login},
		{w.GetStaticKey().GetSchemaJson(), &d.StaticKey.Fields},
	} {
		if len(s.data) == 0 {
			continue
		}
		if err := json.Unmarshal(s.data, s.to); err != nil {
			return err
		}
	}
	return nil
}

func v1StaticKey(k provider.StaticKey) (*providerv1.StaticKey, error) {
	if k.Fields.IsZero() {
		return nil, nil //nolint:nilnil // none is declared
	}
	fields, err := v1Schema(k.Fields)
	return &providerv1.StaticKey{
		SchemaJson: fields, MadeBy: v1Text(k.MadeBy), MadeAtUrl: k.MadeAtURL, Steps: v1Texts(k.Steps), Overlap: v1Duration(k.Overlap),
	}, err
}

func v1Schema(s provider.Schema) ([]byte, error) {
	if s.IsZero() {
		return nil, nil
	}
	return json.Marshal(s)
}

func v1Duration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func v1Text(t provider.Text) *providerv1.Text {
	if t.IsZero() {
		return nil
	}
	w := &providerv1.Text{ByLanguage: map[string]string{"en": t.EN}}
	if t.RU != "" {
		w.ByLanguage["ru"] = t.RU
	}
	return w
}

func v1Texts(texts []provider.Text) []*providerv1.Text {
	var wire []*providerv1.Text
	for _, t := range texts {
		wire = append(wire, v1Text(t))
	}
	return wire
}

func v1TextFrom(w *providerv1.Text) provider.Text { return v1TextWithin(w, 2000) }

// v1TextWithin reads a text of at most n bytes in English, and twice as many in the two
// bytes of a Cyrillic letter. Languages that the hub does not have are left aside.
func v1TextWithin(w *providerv1.Text, n int) provider.Text {
	return provider.Text{EN: clean(w.GetByLanguage()["en"], n), RU: clean(w.GetByLanguage()["ru"], 2*n)}
}

func v1TextsFrom(wire []*providerv1.Text) []provider.Text {
	var texts []provider.Text
	for _, w := range wire {
		texts = append(texts, v1TextFrom(w))
	}
	return texts
}
