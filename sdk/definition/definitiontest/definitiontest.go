// Package definitiontest holds a definition against the contract, with the fixtures that
// stand in it.
package definitiontest

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// Run checks every promise of the contract (providertest.Run) for a definition.
func Run(t *testing.T, d *definition.Definition) {
	t.Helper()
	providertest.Run(t, Config(d))
}

// Config is what the suite tests a definition with.
func Config(d *definition.Definition) providertest.Config {
	f := d.Fixtures
	config := providertest.Config{
		Provider: d.Provider(), Public: f.Public, Current: f.Current(), TokenReply: f.TokenReply, Gaps: f.Gaps,
		Service:  provider.Service{Options: f.Options, Scopes: f.Scopes},
		Callback: url.Values{}, Replies: Replies(f), Answer: answers(d),
	}
	if f.Life > 0 {
		config.Life = f.Life.Span()
	}
	for name, value := range f.Callback {
		config.Callback.Set(name, value)
	}
	return config
}

// answers are those of userinfo, if the definition has a reply of it.
func answers(d *definition.Definition) func(*providerplugin.HTTPRequest) *providerplugin.HTTPResponse {
	if d.Userinfo == nil || d.Fixtures.UserinfoReply == "" {
		return nil
	}
	return func(req *providerplugin.HTTPRequest) *providerplugin.HTTPResponse {
		if u, err := url.Parse(req.URL); err != nil || !pathOf(d.Userinfo.URL).MatchString(u.Path) {
			return nil
		}
		return &providerplugin.HTTPResponse{
			Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(d.Fixtures.UserinfoReply),
		}
	}
}

var placeholderRE = regexp.MustCompile(`\\\{[^}]*\}`)

// pathOf matches the path of an address, whatever its placeholders have become.
func pathOf(address string) *regexp.Regexp {
	_, rest, _ := strings.Cut(address, "://")
	_, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "?")
	return regexp.MustCompile("^/" + placeholderRE.ReplaceAllString(regexp.QuoteMeta(path), "[^/]*") + "$")
}

// Replies are a definition's replies in the form of providertest; nil if it has none.
func Replies(f definition.Fixtures) fs.FS {
	if len(f.Replies) == 0 {
		return nil
	}
	files := fstest.MapFS{}
	for _, r := range f.Replies {
		files[r.Name+".http"] = &fstest.MapFile{Data: []byte(file(r))}
	}
	return files
}

// file writes a reply as providertest reads it.
func file(r definition.Fixture) string {
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	field("# source", r.Source)
	field("operation", r.Operation)
	field("expect", r.Expect)
	field("expect-code", r.Code)
	field("expect-expires-in", r.ExpiresIn)
	field("expect-refresh-token", r.Refresh)
	kind := r.Type
	if kind == "" {
		kind = "application/json"
	}
	fmt.Fprintf(&b, "\nHTTP/1.1 %d %s\nContent-Type: %s\n", r.Status, http.StatusText(r.Status), kind)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		field(name, r.Header[name])
	}
	fmt.Fprintf(&b, "\n%s\n", r.Body)
	return b.String()
}
