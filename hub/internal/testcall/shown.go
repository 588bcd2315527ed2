package testcall

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
)

const (
	// most is how much of an answer is shown, in bytes.
	most = 4 << 10
	// leastSecret is the shortest value that is looked for; shorter ones are words.
	leastSecret = 6
	redacted    = "[redacted]"
)

// secretName is a field whose value is a secret whatever it is.
var secretName = regexp.MustCompile(`(?i)^(access|refresh|id|application|auth)?[_-]?token$|secret|password|^auth$|api[_-]?key`)

// secretsOf are what must not be shown of an answer that repeats it.
func secretsOf(svc service.Service, conn connection.Connection) []string {
	tokens := conn.Tokens
	secrets := []string{tokens.AccessToken, tokens.RefreshToken, svc.ClientSecret, svc.OtherSecret.Value}
	for name, value := range tokens.Extra {
		if text, ok := value.(string); ok && secretName.MatchString(name) {
			secrets = append(secrets, text)
		}
	}
	for _, o := range svc.Description.Options.Options {
		if text, ok := svc.Options[o.Name].(string); ok && o.Secret {
			secrets = append(secrets, text)
		}
	}
	for _, o := range svc.Description.ConnectionOptions.Options {
		if text, ok := conn.Options[o.Name].(string); ok && o.Secret {
			secrets = append(secrets, text)
		}
	}
	for _, value := range tokens.Fields {
		if text, ok := value.(string); ok {
			secrets = append(secrets, text)
		}
	}
	return secrets
}

// shown is an answer as people may see it.
func shown(body []byte, secrets []string) (text string, cut bool) {
	text = strings.ToValidUTF8(string(body), "?")
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil {
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if encoder.Encode(without(value)) == nil {
			text = strings.TrimSpace(b.String())
		}
	}
	for _, secret := range secrets {
		if len(secret) < leastSecret {
			continue
		}
		text = strings.ReplaceAll(text, secret, redacted)
		text = strings.ReplaceAll(text, url.QueryEscape(secret), redacted)
	}
	if len(text) <= most {
		return text, false
	}
	text = text[:most]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text, true
}

// without is a JSON value whose fields of secrets say that there is one.
func without(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if text, ok := inner.(string); ok && text != "" && secretName.MatchString(name) {
				v[name] = redacted
				continue
			}
			v[name] = without(inner)
		}
	case []any:
		for i := range v {
			v[i] = without(v[i])
		}
	}
	return value
}
