package providertest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// suite is a served provider and its fixtures.
type suite struct {
	config Config
	client *providerplugin.Client
	stop   func()
	logs   *buffer
	name   string

	// description is the provider's own, prepared what holds for the service.
	description provider.Description
	prepared    provider.Description
	service     provider.Service
	current     provider.Token
}

// The fixtures that the suite makes up. Secrets have characters that every
// encoding treats differently, so that an echo is seen in any of them.
const (
	clientSecret = "canary-client/secret+1 =&"
	codeSecret   = "canary-code/2+x="
	verifier     = "canary-verifier-3.abcdefghijklmnopqrstuvwxyz-0123456789"
	oldAccess    = "canary-access/4+x="
	oldRefresh   = "canary-refresh/5+x="
	newAccess    = "canary-new-access-6"
	newRefresh   = "canary-new-refresh-7"
	password     = "canary-password/8+x="
	deviceCode   = "canary-device/9+x="
	signature    = "canary-signature-10"
	challenge    = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	redirectURI  = "https://hub.example/callback/providertest"
)

var callTime = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

const defaultTokenReply = `{"access_token":"{access}","token_type":"Bearer","expires_in":3600,"refresh_token":"{refresh}"}`

func newSuite(ctx context.Context, config Config) (*suite, error) {
	s := &suite{config: config.clone(), logs: &buffer{}}
	var err error
	if s.client, s.stop, err = serve(s.config, s.logs); err != nil {
		return nil, err
	}
	s.stop = sync.OnceFunc(s.stop)
	if err := s.describe(ctx); err != nil {
		s.stop()
		return nil, err
	}
	if err := s.fixtures(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *suite) describe(ctx context.Context) error {
	info, err := s.client.Describe(ctx)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	for _, d := range info.Descriptions {
		if s.config.Name == "" || d.Name == s.config.Name {
			s.description, s.prepared, s.name = d, d, d.Name
			return nil
		}
	}
	return fmt.Errorf("the plugin serves no provider %q", s.config.Name)
}

func (s *suite) fixtures(ctx context.Context) error {
	s.service, s.current = s.config.Service, s.config.Current
	s.service.Name = cmp.Or(s.service.Name, "providertest")
	s.service.ClientID = cmp.Or(s.service.ClientID, "client-id")
	s.service.ClientSecret = clientSecret
	if s.config.Public {
		s.service.ClientSecret = ""
	}
	options, err := validOptions(s.description.Options, s.service.Options)
	if err != nil {
		return err
	}
	s.service.Options = options
	s.current.AccessToken = cmp.Or(s.current.AccessToken, oldAccess)
	s.current.RefreshToken = cmp.Or(s.current.RefreshToken, oldRefresh)
	s.current.TokenType = cmp.Or(s.current.TokenType, "Bearer")
	s.config.TokenReply = cmp.Or(s.config.TokenReply, defaultTokenReply)
	if !s.serves(provider.GrantPrepareService) {
		return nil
	}
	prepared, err := s.client.PrepareService(ctx, s.healthy(), s.name, &provider.PrepareServiceRequest{Call: s.call()})
	if err != nil {
		return fmt.Errorf("prepare the service of Config.Service: %w", err)
	}
	s.service.Data = prepared.Data
	if prepared.Description != nil {
		s.prepared = *prepared.Description
	}
	return nil
}

// validOptions fills in what a form would.
func validOptions(schema provider.Schema, entered map[string]any) (map[string]any, error) {
	values, problems := schema.Validate(entered)
	if len(problems) > 0 {
		return nil, fmt.Errorf("Config.Service.Options do not fit the provider's own schema: %v", problems)
	}
	return values, nil
}

func (s *suite) call() provider.Call { return provider.Call{Service: s.service, Now: callTime} }

// fields fill in a form for a login or a static key: secret ones with the same canary.
func (s *suite) fields(schema provider.Schema) provider.Fields {
	fields := provider.Fields{}
	for _, o := range schema.Options {
		switch {
		case o.Secret:
			fields[o.Name] = password
		case o.Default != nil:
			fields[o.Name] = o.Default
		case len(o.Choices) > 0:
			fields[o.Name] = o.Choices[0].Value
		case o.Type == provider.OptionString || o.Type == "":
			fields[o.Name] = cmp.Or(o.Example, "anna")
		}
	}
	return fields
}

func (s *suite) serves(g provider.Grant) bool { return slices.Contains(s.description.Grants, g) }

// secrets are all that no error and no log may hold.
func (s *suite) secrets() []string {
	secrets := []string{
		s.service.ClientSecret, codeSecret, verifier, s.current.AccessToken, s.current.RefreshToken,
		newAccess, newRefresh, password, deviceCode, signature,
	}
	for _, o := range s.description.Options.Options {
		if o.Secret {
			secrets = append(secrets, s.service.Option(o.Name))
		}
	}
	return secrets
}

// tokenReply is a successful reply with two tokens.
func (s *suite) tokenReply(access, refresh string) *providerplugin.HTTPResponse {
	return reply(200, strings.NewReplacer("{access}", access, "{refresh}", refresh).Replace(s.config.TokenReply))
}

func (s *suite) exchangeRequest(code string) *provider.ExchangeRequest {
	params := url.Values{}
	maps.Copy(params, s.config.Callback)
	params.Set("code", code)
	params.Set("state", "state-of-the-hub")
	return &provider.ExchangeRequest{Call: s.call(), Code: code, Params: params, RedirectURI: redirectURI, CodeVerifier: verifier}
}
