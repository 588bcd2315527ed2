package definition

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// placeholderRE is a placeholder: "{option:subdomain}", "{refresh_token}".
var placeholderRE = regexp.MustCompile(`\{([a-z_]+)(?::([A-Za-z0-9_.\-]+))?\}`)

// values are what placeholders stand for in one operation.
type values struct {
	call     provider.Call
	current  provider.Token
	callback url.Values
	redirect string
}

// plainSources are the placeholders without a name.
var plainSources = []string{"access_token", "refresh_token", "client_id", "client_secret", "redirect_uri"}

// of returns the value of a placeholder; "" if there is none.
func (v values) of(source, name string) string {
	switch source {
	case "option":
		return v.call.Service.Option(name)
	case "connection":
		return v.call.Connection.Option(name)
	case "private":
		return textOf(v.current.Private[name])
	case "extra":
		return textOf(v.current.Extra[name])
	case "callback":
		return v.callback.Get(name)
	case "access_token":
		return v.current.AccessToken
	case "refresh_token":
		return v.current.RefreshToken
	case "client_id":
		return v.call.Service.ClientID
	case "client_secret":
		return v.call.Service.ClientSecret
	case "redirect_uri":
		return v.redirect
	}
	return ""
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// fill replaces the placeholders of a parameter.
func (v values) fill(template string) string {
	return placeholderRE.ReplaceAllStringFunc(template, func(found string) string {
		m := placeholderRE.FindStringSubmatch(found)
		return v.of(m[1], m[2])
	})
}

// params fills in parameters. One that becomes empty is left out.
func (v values) params(templates map[string]string) url.Values {
	if templates == nil {
		return nil
	}
	filled := url.Values{}
	for name, template := range templates {
		if value := v.fill(template); value != "" {
			filled.Set(name, value)
		}
	}
	return filled
}

// address fills in an address. In the host's place a value may be an address or a host's
// name; elsewhere it is percent-encoded. A placeholder without a value is an error of the
// operator's: an option is empty, or the service did not send what it should.
func (v values) address(template string) (string, error) {
	if template == "" {
		return "", nil
	}
	scheme, rest, _ := strings.Cut(template, "://")
	host, path, slash := strings.Cut(rest, "/")
	missing := ""
	replace := func(part string, write func(string) string) string {
		return placeholderRE.ReplaceAllStringFunc(part, func(found string) string {
			m := placeholderRE.FindStringSubmatch(found)
			value := v.of(m[1], m[2])
			if value == "" {
				missing = found
			}
			return write(value)
		})
	}
	host = replace(host, hostIn)
	path = replace(path, url.PathEscape)
	if missing != "" {
		return "", provider.Errorf(provider.Blocked, "", "the address %s has no value for %s; fill in the option, or authorize again", template, missing)
	}
	if slash {
		path = "/" + path
	}
	return scheme + "://" + host + path, nil
}

// hostIn is the host of a value that may be an address.
func hostIn(value string) string {
	if _, rest, found := strings.Cut(value, "://"); found {
		value = rest
	}
	value, _, _ = strings.Cut(value, "/")
	return value
}

// hostPattern is the pattern of the hosts that an address may have, if its placeholders are
// those of options; ok is false if Hosts has to name them.
func hostPattern(template string) (pattern string, ok bool) {
	scheme, rest, found := strings.Cut(template, "://")
	if !found {
		return "", false
	}
	host, _, _ := strings.Cut(rest, "/")
	m := placeholderRE.FindStringSubmatch(host)
	switch {
	case m == nil && scheme == "http":
		return "http://" + host, true
	case m == nil:
		return host, true
	case m[0] == host && m[1] == "option":
		return provider.OptionHost(m[2]), true
	}
	return "", false
}
