package channel

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// hidden replaces a secret that a service repeated.
const hidden = "[hidden]"

// shortestSecret is how long a value has to be to be looked for: to hide all that
// looks like a shorter one would leave no words.
const shortestSecret = 4

// hider returns what makes text safe for records and pages: secrets of the
// settings, in every spelling in which they travel, are replaced.
func hider(k Kind, settings Settings) func(string) string {
	var secrets []string
	for _, f := range fields[k] {
		if f.Secret {
			secrets = append(secrets, spellings(k, settings, settings.of(k, f.Name))...)
		}
	}
	secrets = slices.DeleteFunc(secrets, func(v string) bool { return len(v) < shortestSecret })
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, v := range secrets {
		pairs = append(pairs, v, hidden)
	}
	return strings.NewReplacer(pairs...).Replace
}

// spellings are the forms of one secret on the wire: itself, in an address or
// form, in JSON, in base64 alone and with the name that it goes with.
func spellings(k Kind, settings Settings, secret string) []string {
	out := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(asJSON(secret)), `"`),
		base64.StdEncoding.EncodeToString([]byte(secret)), strings.TrimPrefix(secret, signingPrefix),
	}
	// A bot's token is its public number and a secret.
	if _, after, ok := strings.Cut(secret, ":"); ok && k == Telegram {
		out = append(out, after)
	}
	for _, name := range []string{"user", "account_sid", "api_key"} {
		if user := settings.of(k, name); user != "" {
			out = append(out, base64.StdEncoding.EncodeToString([]byte(user+":"+secret)),
				base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+secret)))
		}
	}
	return out
}
