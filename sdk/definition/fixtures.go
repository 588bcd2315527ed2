package definition

import "github.com/evergrant/evergrant/sdk/provider"

// Fixtures are what the conformance suite tests a definition with.
type Fixtures struct {
	Options       map[string]any    `yaml:"options"`
	Scopes        []string          `yaml:"scopes"`
	Public        bool              `yaml:"public"`
	Callback      map[string]string `yaml:"callback"`
	Private       map[string]string `yaml:"private"`
	Extra         map[string]any    `yaml:"extra"`
	TokenReply    string            `yaml:"token_reply"`
	Life          Duration          `yaml:"life"`
	UserinfoReply string            `yaml:"userinfo_reply"`
	Gaps          map[string]string `yaml:"gaps"`
	Replies       []Fixture         `yaml:"replies"`
}

// Fixture is a reply of the service, documented or recorded, and what it has to mean.
type Fixture struct {
	Name      string            `yaml:"name"`
	Operation string            `yaml:"operation"`
	Status    int               `yaml:"status"`
	Type      string            `yaml:"type"`
	Header    map[string]string `yaml:"header"`
	Body      string            `yaml:"body"`
	Expect    string            `yaml:"expect"`
	Code      string            `yaml:"expect_code"`
	ExpiresIn string            `yaml:"expect_expires_in"`
	Refresh   string            `yaml:"expect_refresh_token"`
	// Source is where it is documented.
	Source string `yaml:"source"`
}

// Current is the token set that the suite begins with.
func (f Fixtures) Current() provider.Token {
	token := provider.Token{Extra: f.Extra}
	for name, value := range f.Private {
		if token.Private == nil {
			token.Private = map[string]any{}
		}
		token.Private[name] = value
	}
	return token
}
