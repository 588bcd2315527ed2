package provider

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
)

// maxIcon bounds Description.Icon, in bytes.
const maxIcon = 16 << 10

// Validate reports all errors of a description in one error. Hosts call it on the
// descriptions of plugins; plugins at start.
func (d *Description) Validate() error {
	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("provider %q: "+format, append([]any{d.Name}, args...)...))
	}
	if !ValidName(d.Name) {
		problem("a name has lower-case letters, digits and hyphens, at most 63, and may have the name of its publisher and a dot before it")
	}
	if d.Title.EN == "" {
		problem("title.en is required")
	}
	if len(d.Icon) > maxIcon || (len(d.Icon) > 0 && !safeSVG(d.Icon)) {
		problem("the icon must be an SVG of at most %d bytes without scripts, events or references", maxIcon)
	}
	if u, err := url.Parse(d.DocumentationURL); d.DocumentationURL != "" && (err != nil || u.Scheme != "https") {
		problem("documentation_url must start with https://")
	}
	if len(d.Hosts) == 0 {
		problem("hosts are required: the plugin can talk to no other")
	}
	for _, h := range d.Hosts {
		if err := h.validate(); err != nil {
			problem("%w", err)
		}
	}
	for i, call := range d.TestCalls {
		if err := call.validate(); err != nil {
			problem("%w", err)
		}
		if slices.ContainsFunc(d.TestCalls[:i], func(x TestCall) bool { return x.Name == call.Name }) {
			problem("test call %q is there twice", call.Name)
		}
	}
	for _, o := range d.Options.Options {
		if o.OnlyIf == nil {
			continue
		}
		if _, there := d.Options.Option(o.OnlyIf.Option); !there || o.OnlyIf.Option == o.Name {
			problem("option %q depends on the option %q, which there is not", o.Name, o.OnlyIf.Option)
		}
	}
	for _, err := range d.checkWords() {
		problem("%w", err)
	}
	if d.AutoRenew != AutoRenewNone && !slices.Contains(d.Grants, GrantRefresh) && d.AutoRenew != AutoRenewReissue {
		problem("auto_renew is %q, but the provider does not serve Refresh", d.AutoRenew)
	}
	for _, err := range d.checkGrants() {
		problem("%w", err)
	}
	return errors.Join(problems...)
}

// checkWords checks the fields with a fixed list of values.
func (d *Description) checkWords() []error {
	var problems []error
	oneOf := func(field, value string, words ...string) {
		if !slices.Contains(words, value) {
			problems = append(problems, fmt.Errorf("%s is %q, must be one of %q", field, value, words))
		}
	}
	oneOf("auto_renew", string(d.AutoRenew), "none", "refresh_token", "prolong", "exchange", "reissue", "sliding")
	oneOf("rotation", string(d.Rotation.Kind), "", "none", "rotates", "rotates_and_revokes_access", "rotates_with_grace")
	oneOf("renew_window", string(d.RenewWindow.Kind), "", "before_expiry", "after_expiry", "on_demand")
	oneOf("throttles", string(d.Throttles), "", "account", "client")
	oneOf("pkce", string(d.PKCE), "none", "s256", "required")
	oneOf("api.in", string(d.API.In), "", "header", "query")
	if w := d.RenewWindow; w.Margin < 0 || w.Every < 0 || w.KeepAlive < 0 {
		problems = append(problems, errors.New("the times of renew_window must not be negative"))
	}
	if d.ExchangeTimeout < 0 || d.ExchangeTimeout > MaxExchangeTimeout {
		problems = append(problems, fmt.Errorf("exchange_timeout is %s, must be at most %s", d.ExchangeTimeout, MaxExchangeTimeout))
	}
	return problems
}

var (
	callNameRE = regexp.MustCompile(`^[A-Za-z0-9._-]{1,63}$`)
	callURLRE  = regexp.MustCompile(`^(https?://|\{(option|extra):[A-Za-z0-9_]+\})[^\s]*$`)
)

func (c TestCall) validate() error {
	switch {
	case !callNameRE.MatchString(c.Name):
		return fmt.Errorf("test call %q: a name has letters, digits, dots, hyphens and underscores, at most 63", c.Name)
	case c.Title.EN == "":
		return fmt.Errorf("test call %q: title.en is required", c.Name)
	case !slices.Contains([]string{"", "GET", "POST"}, c.Method):
		return fmt.Errorf("test call %q: the method is %q, must be GET or POST", c.Name, c.Method)
	case !callURLRE.MatchString(c.URL):
		return fmt.Errorf("test call %q: the URL must begin with https://, http:// or a placeholder", c.Name)
	}
	return nil
}

func (h Host) validate() error {
	if regexp.MustCompile(`^\{option:[a-z0-9_]+\}$`).MatchString(h.Pattern) {
		return nil
	}
	if regexp.MustCompile(`^(https?://)?(\*\.)?[A-Za-z0-9._\-\[\]:]+$`).MatchString(h.Pattern) && h.Pattern != "*." {
		return nil
	}
	return fmt.Errorf(`host pattern %q: write "host", "*.domain", either with ":port", or "{option:name}"`, h.Pattern)
}

// safeSVG refuses what could run or load anything; pages embed icons as images,
// so this is the second wall, not the first.
func safeSVG(svg []byte) bool {
	low := bytes.ToLower(svg)
	if !bytes.Contains(low, []byte("<svg")) {
		return false
	}
	for _, bad := range []string{"<script", "<foreignobject", "<!entity", "<!doctype", "javascript:", " on", "href=\"http", "@import", "<iframe", "<use"} {
		if bytes.Contains(low, []byte(bad)) {
			return false
		}
	}
	return true
}
