package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func checkDescription(ctx context.Context, s *suite) error {
	d := s.description
	problems := []error{
		d.Validate(), checkHosts(d, s.config.Public), checkSchema(d.Options), checkSchema(d.ConnectionOptions),
		checkSchema(d.Login), checkSchema(d.StaticKey.Fields),
	}
	texts := map[string]provider.Text{"title": d.Title, "summary": d.Summary}
	for i, step := range d.SetupSteps {
		texts[fmt.Sprintf("setup_steps[%d]", i)] = step
	}
	for i, notice := range d.Notices {
		texts[fmt.Sprintf("notices[%d]", i)] = notice
	}
	for _, scope := range d.Scopes {
		texts["scope "+scope.Name] = scope.Title
	}
	for _, o := range slices.Concat(d.Options.Options, d.ConnectionOptions.Options, d.Login.Options, d.StaticKey.Fields.Options) {
		texts["option "+o.Name] = o.Title
	}
	for what, text := range texts {
		if text.EN == "" || text.RU == "" {
			problems = append(problems, fmt.Errorf("%s is not said in both languages: %+v", what, text))
		}
	}
	if s.serves(provider.GrantAuthorizationCode) && !slices.ContainsFunc(d.SetupSteps, func(t provider.Text) bool {
		return strings.Contains(t.EN, "{redirect_uri}") && strings.Contains(t.RU, "{redirect_uri}")
	}) {
		problems = append(problems, errors.New("no set-up step shows {redirect_uri}, which an administrator has to register"))
	}
	return errors.Join(append(problems, s.checkGrants(ctx))...)
}

func checkHosts(d provider.Description, public bool) error {
	if !public && !slices.ContainsFunc(d.Hosts, func(h provider.Host) bool { return h.ClientSecret }) {
		return errors.New("no host may see client_secret; set Host.ClientSecret on the token endpoint's")
	}
	return nil
}

var optionName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// checkSchema checks names, examples and defaults, and that nothing is lost on
// the wire.
func checkSchema(schema provider.Schema) error {
	var problems []error
	for _, o := range schema.Options {
		if !optionName.MatchString(o.Name) {
			problems = append(problems, fmt.Errorf("option name %q: use lower-case letters, digits and underscores", o.Name))
		}
		alone := provider.Schema{Options: []provider.Option{o}}
		for what, v := range map[string]any{"default": o.Default, "example": o.Example} {
			if v == nil || v == "" {
				continue
			}
			if _, wrong := alone.Validate(map[string]any{o.Name: v}); len(wrong) > 0 {
				problems = append(problems, fmt.Errorf("the %s of option %s does not fit: %s", what, o.Name, wrong[0].Message.EN))
			}
		}
	}
	data, err := json.Marshal(schema)
	if err != nil {
		return errors.Join(append(problems, err)...)
	}
	var back provider.Schema
	if err := json.Unmarshal(data, &back); err != nil {
		return errors.Join(append(problems, err)...)
	}
	again, err := json.Marshal(back)
	if err != nil || !reflect.DeepEqual(data, again) {
		problems = append(problems, errors.New("the option schema changes when it is written and read back"))
	}
	return errors.Join(problems...)
}

// checkGrants calls declared and undeclared operations: the answer shows which interfaces
// the provider implements.
func (s *suite) checkGrants(ctx context.Context) error {
	if s.config.Provider != nil && !slices.Equal(s.description.Grants, provider.GrantsOf(s.config.Provider)) {
		return fmt.Errorf("the declared grants are %v, the provider's interfaces are %v", s.description.Grants, provider.GrantsOf(s.config.Provider))
	}
	everything := *s
	everything.description.Grants = []provider.Grant{
		provider.GrantAuthorizationCode, provider.GrantRefresh, provider.GrantClientCredentials, provider.GrantAssertion,
		provider.GrantLogin, provider.GrantDevice, provider.GrantStatic, provider.GrantRevoke, provider.GrantIdentify, provider.GrantIntrospect,
	}
	var problems []error
	for _, op := range everything.operations() {
		_, err := op.run(ctx, s.good(op))
		failure, _ := errors.AsType[*providerplugin.PluginError](err)
		notServed := failure != nil && failure.NotServed
		if notServed == s.serves(op.grant) {
			problems = append(problems, fmt.Errorf("%s: declared is %t, served is %t", op.name, s.serves(op.grant), !notServed))
		}
	}
	return errors.Join(problems...)
}

func checkAuthCodeURL(ctx context.Context, s *suite) error {
	if !s.serves(provider.GrantAuthorizationCode) {
		return nil
	}
	relay := s.healthy()
	req := &provider.AuthCodeURLRequest{Call: s.call(), State: "state-of-the-hub", RedirectURI: redirectURI, Nonce: "nonce-of-the-hub"}
	if s.prepared.PKCE != provider.PKCENone {
		req.CodeChallenge = challenge
	}
	got, err := s.client.AuthCodeURL(ctx, relay, s.name, req)
	if err != nil {
		return err
	}
	u, err := url.Parse(got.URL)
	if err != nil {
		return err
	}
	var problems []error
	problem := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	q := pushed(u.Query(), relay.seen())
	_, declared := provider.MatchHost(s.prepared.Hosts, s.service, u)
	problem(declared, "the host %s is not declared", u.Host)
	problem(len(relay.seen()) == 0 || u.Query().Has("request_uri"), "requests were made, but the address has no request_uri (RFC 9126)")
	problem(q.Get("state") == req.State, "state is %q", q.Get("state"))
	problem(slices.ContainsFunc(slices.Collect(maps.Values(q)), func(v []string) bool { return v[0] == s.service.ClientID }),
		"no parameter is the client ID; client_id is %q", q.Get("client_id")) // some services call it otherwise
	problem(q.Get("code_challenge") == req.CodeChallenge, "code_challenge is %q, wanted %q", q.Get("code_challenge"), req.CodeChallenge)
	problem(req.CodeChallenge == "" || q.Get("code_challenge_method") == "S256", "code_challenge_method is %q", q.Get("code_challenge_method"))
	problem(holdsSecret(got.URL, s.secrets()) == "", "a secret is in the address")
	return errors.Join(problems...)
}

// pushed are the parameters of an authorization request: of its address, and of the forms
// that were sent before (RFC 9126).
func pushed(query url.Values, sent []*providerplugin.HTTPRequest) url.Values {
	all := maps.Clone(query)
	for _, req := range sent {
		form, err := url.ParseQuery(string(req.Body))
		if err == nil {
			maps.Copy(all, form)
		}
	}
	return all
}
