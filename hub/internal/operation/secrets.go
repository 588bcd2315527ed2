package operation

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// secretsOf are the secrets of a registration and of a connection that a plugin is given.
func secretsOf(svc service.Service, about provider.Connection) []string {
	var secrets []string
	for _, secret := range svc.Secrets() {
		secrets = append(secrets, secret.Value)
	}
	if svc.Description == nil {
		return secrets
	}
	secrets = append(secrets, secretOptions(svc.Description.Options, svc.Options)...)
	return append(secrets, secretOptions(svc.Description.ConnectionOptions, about.Options)...)
}

// secretOptions are the values of a schema's secret options.
func secretOptions(schema provider.Schema, values map[string]any) (secrets []string) {
	for _, o := range schema.Options {
		if value, ok := values[o.Name].(string); ok && o.Secret {
			secrets = append(secrets, value)
		}
	}
	return secrets
}

// withToken names the secrets of a token set that a plugin is given.
func withToken(ctx context.Context, t provider.Token) context.Context {
	secrets := append([]string{t.AccessToken, t.RefreshToken, t.IDToken}, secretValues(t.Extra)...)
	return pluginhost.WithTokens(ctx, secrets...)
}

// secretNameRE is the name of a field that holds a secret, in whatever spelling.
var secretNameRE = regexp.MustCompile(`(?i)token$|secret|password|assertion|device_?code|^code$|api_?key|private_?key`)

// longestRead bounds the replies in which secrets are looked for, in bytes; those with
// tokens are small.
const longestRead = 64 << 10

// secretsIn are the secrets in a service's reply, by the names of its fields.
func secretsIn(reply *providerplugin.HTTPResponse) []string {
	if reply == nil || len(reply.Body) == 0 || len(reply.Body) > longestRead {
		return nil
	}
	var fields any
	if json.Unmarshal(reply.Body, &fields) == nil {
		return secretValues(fields)
	}
	var secrets []string
	form, err := url.ParseQuery(string(reply.Body))
	for name, values := range form {
		if err == nil && secretNameRE.MatchString(name) {
			secrets = append(secrets, values...)
		}
	}
	return secrets
}

// secretValues are the texts in a JSON value whose fields are named as secrets.
func secretValues(value any) (secrets []string) {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if text, ok := v[name].(string); ok && secretNameRE.MatchString(name) {
				secrets = append(secrets, text)
				continue
			}
			secrets = append(secrets, secretValues(v[name])...)
		}
	case []any:
		for _, item := range v {
			secrets = append(secrets, secretValues(item)...)
		}
	}
	return secrets
}
