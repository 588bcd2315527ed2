package definition

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Format is the version of the format that this package reads.
const Format = 1

// Definition is a document about a service. The names of its fields are those of
// schema.json; what they mean is written there.
type Definition struct {
	Format  int    `yaml:"definition"`
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Title   Text   `yaml:"title"`
	Summary Text   `yaml:"summary"`
	// Aliases are what people call the service, for a search.
	Aliases          []string `yaml:"aliases"`
	Category         string   `yaml:"category"`
	Icon             string   `yaml:"icon"`
	DocumentationURL string   `yaml:"documentation_url"`
	SetupSteps       []Text   `yaml:"setup_steps"`
	Notices          []Text   `yaml:"notices"`

	Options           []Option `yaml:"options"`
	ConnectionOptions []Option `yaml:"connection_options"`

	Scopes         []Scope `yaml:"scopes"`
	ScopeSeparator string  `yaml:"scope_separator"`
	ScopesFixed    bool    `yaml:"scopes_fixed"`

	Authorization *Authorization `yaml:"authorization"`
	Token         Token          `yaml:"token"`
	Device        *Endpoint      `yaml:"device"`
	Introspection *Endpoint      `yaml:"introspection"`
	Userinfo      *Userinfo      `yaml:"userinfo"`
	Revocation    *Endpoint      `yaml:"revocation"`

	// ClientCredentials is set if an application gets tokens for itself (RFC 6749 section
	// 4.4).
	ClientCredentials bool `yaml:"client_credentials"`
	// StaticKey is set if a person makes a key there and enters it in the hub.
	StaticKey *StaticKey `yaml:"static_key"`

	Lifetimes Lifetimes `yaml:"lifetimes"`
	Renewal   Renewal   `yaml:"renewal"`
	Errors    []Failure `yaml:"errors"`

	// Hosts are further ones, beside those of the addresses: of the API, and those that a
	// placeholder may become.
	Hosts     []Host     `yaml:"hosts"`
	API       API        `yaml:"api"`
	TestCalls []TestCall `yaml:"test_calls"`

	// Ends are dates on which the service changes or switches off what is described here.
	Ends []End `yaml:"ends"`
	// Evidence is what the facts are known from, by path: that of the longest path that is
	// a fact's own or leads to it counts.
	Evidence map[string]Evidence `yaml:"evidence"`
	// Fixtures are what the conformance suite tests with.
	Fixtures Fixtures `yaml:"fixtures"`

	// facts are the paths of all values of the document.
	facts []string
}

// Text is a sentence in the interface's languages.
type Text struct {
	EN string `yaml:"en"`
	RU string `yaml:"ru"`
}

func (t Text) text() provider.Text { return provider.Text(t) }

// Option is a field of a form.
type Option struct {
	Name        string   `yaml:"name"`
	Type        string   `yaml:"type"`
	Title       Text     `yaml:"title"`
	Help        Text     `yaml:"help"`
	Required    bool     `yaml:"required"`
	Default     any      `yaml:"default"`
	Example     string   `yaml:"example"`
	Choices     []Choice `yaml:"choices"`
	Pattern     string   `yaml:"pattern"`
	PatternHint Text     `yaml:"pattern_hint"`
	Format      string   `yaml:"format"`
	Secret      bool     `yaml:"secret"`
	Advanced    bool     `yaml:"advanced"`
}

// Choice is a value of an option.
type Choice struct {
	Value string `yaml:"value"`
	Title Text   `yaml:"title"`
}

// Scope is an entry of the catalogue of scopes.
type Scope struct {
	Name    string `yaml:"name"`
	Title   Text   `yaml:"title"`
	Default bool   `yaml:"default"`
}

// Authorization is the authorization endpoint.
type Authorization struct {
	URL string `yaml:"url"`
	// Params are added to the request, ConsentParams when consent has to be asked for anew.
	Params        map[string]string `yaml:"params"`
	ConsentParams map[string]string `yaml:"consent_params"`
	PKCE          string            `yaml:"pkce"`
	PushedURL     string            `yaml:"pushed_url"`
	Issuer        string            `yaml:"issuer"`
	IssuerSent    bool              `yaml:"issuer_sent"`
	// StateNotEchoed is set if the service may drop the state parameter.
	StateNotEchoed bool `yaml:"state_not_echoed"`
	// Keep are parameters of the callback that are kept for renewals, by their names there.
	Keep map[string]string `yaml:"keep"`
}

// Token is the token endpoint and the form of its replies.
type Token struct {
	URL string `yaml:"url"`
	// Auth is the client authentication, and Public is set if there may be no secret.
	Auth   string `yaml:"auth"`
	Public bool   `yaml:"public"`
	Method string `yaml:"method"`
	JSON   bool   `yaml:"json"`
	// Header is added to token requests.
	Header map[string]string `yaml:"header"`
	// Params are added to the exchange of a code and to renewals, RefreshParams to renewals.
	Params        map[string]string `yaml:"params"`
	RefreshParams map[string]string `yaml:"refresh_params"`
	// RefreshForm replaces all parameters of a renewal.
	RefreshForm map[string]string `yaml:"refresh_form"`
	// RefreshURL is where renewals are sent, if not to URL.
	RefreshURL string `yaml:"refresh_url"`
	// ClientCredentialsForm replaces grant_type and scope of the client credentials grant.
	ClientCredentialsForm map[string]string `yaml:"client_credentials_form"`
	Rename                map[string]string `yaml:"rename"`
	Resources             []string          `yaml:"resources"`
	Reply                 Reply             `yaml:"reply"`
	// Timeout is how long the service may take to answer.
	Timeout Duration `yaml:"timeout"`
}

// Reply is where a token reply has what RFC 6749 names otherwise, as paths.
type Reply struct {
	AccessToken      string   `yaml:"access_token"`
	RefreshToken     string   `yaml:"refresh_token"`
	IDToken          string   `yaml:"id_token"`
	TokenType        string   `yaml:"token_type"`
	Scope            string   `yaml:"scope"`
	ScopeSeparator   string   `yaml:"scope_separator"`
	ExpiresIn        string   `yaml:"expires_in"`
	ExpiresInUnit    Duration `yaml:"expires_in_unit"`
	ExpiresAt        string   `yaml:"expires_at"`
	ExpiresAtUnit    Duration `yaml:"expires_at_unit"`
	RefreshExpiresIn string   `yaml:"refresh_expires_in"`
	// Private are fields that a renewal needs and no process may see.
	Private []string `yaml:"private"`
}

// Endpoint is another endpoint, and how it is asked where that differs from its RFC.
type Endpoint struct {
	URL    string            `yaml:"url"`
	Method string            `yaml:"method"`
	JSON   bool              `yaml:"json"`
	Form   map[string]string `yaml:"form"`
	Header map[string]string `yaml:"header"`
}

// Userinfo says whose an access token is.
type Userinfo struct {
	Endpoint `yaml:",inline"`
	// ID and Account are paths; the first that is there counts.
	ID      []string `yaml:"id"`
	Account []string `yaml:"account"`
}

// Lifetimes of what the service issues. Absent is unknown, "never" is for ever.
type Lifetimes struct {
	AccessToken       Duration `yaml:"access_token"`
	RefreshToken      Duration `yaml:"refresh_token"`
	RefreshTokenIdle  Duration `yaml:"refresh_token_idle"`
	AuthorizationCode Duration `yaml:"authorization_code"`
}

// Renewal is how the next token set comes without a person.
type Renewal struct {
	Auto       string   `yaml:"auto"`
	Rotation   string   `yaml:"rotation"`
	Grace      Duration `yaml:"grace"`
	RepeatSafe bool     `yaml:"repeat_safe"`
	Window     string   `yaml:"window"`
	Margin     Duration `yaml:"margin"`
	Every      Duration `yaml:"every"`
	KeepAlive  Duration `yaml:"keep_alive"`
	// Throttles is what the service counts requests by when it answers 429.
	Throttles string `yaml:"throttles"`
	// OneGrantPerAccount is set if a second grant of an account ends the first.
	OneGrantPerAccount bool `yaml:"one_grant_per_account"`
}

// Failure is an answer of the token endpoint and what it means.
type Failure struct {
	Status  int    `yaml:"status"`
	Code    string `yaml:"code"`
	Text    string `yaml:"text"`
	Means   string `yaml:"means"`
	Explain Text   `yaml:"explain"`
}

// Host is a host that may be asked.
type Host struct {
	Pattern      string `yaml:"pattern"`
	ClientSecret bool   `yaml:"client_secret"`
}

// API is where the service's API is and how a token is attached.
type API struct {
	BaseURL string `yaml:"base_url"`
	In      string `yaml:"in"`
	Name    string `yaml:"name"`
	Prefix  string `yaml:"prefix"`
}

// TestCall is a call of the API that changes nothing there.
type TestCall struct {
	Name   string `yaml:"name"`
	Title  Text   `yaml:"title"`
	Shows  Text   `yaml:"shows"`
	Method string `yaml:"method"`
	URL    string `yaml:"url"`
}

// End is a date from which something that is described here does not work any more.
type End struct {
	On    time.Time `yaml:"on"`
	Title Text      `yaml:"title"`
	// URL is where the service announces it.
	URL string `yaml:"url"`
}
