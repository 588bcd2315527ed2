package pluginhost

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/mod/semver"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestADeprecationConcernsThePluginsThatUseIt(t *testing.T) {
	uses := []string{"feature limits", "field evergrant.provider.v1.Description.old", "sdk v0.3.1"}
	for name, c := range map[string]struct {
		d    Deprecation
		want bool
	}{
		"a field":                   {Deprecation{Field: "evergrant.provider.v1.Description.old"}, true},
		"another field":             {Deprecation{Field: "evergrant.provider.v1.Description.older"}, false},
		"a feature":                 {Deprecation{Feature: "limits"}, true},
		"another feature":           {Deprecation{Feature: "publisher-names"}, false},
		"an SDK before the next":    {Deprecation{SDKBefore: "v0.4.0"}, true},
		"an SDK before its own":     {Deprecation{SDKBefore: "v0.3.1"}, false},
		"a feature named as an SDK": {Deprecation{Feature: "v0.3.1"}, false},
		"nothing":                   {Deprecation{}, false},
	} {
		if got := len(concerning([]Deprecation{c.d}, uses)) == 1; got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if got := concerning([]Deprecation{{SDKBefore: "v9.0.0"}}, nil); got != nil {
		t.Errorf("a plugin of which nothing is known: %v", got)
	}
}

// What is known of a plugin by its cache alone is told as well.
func TestAPluginThatUsesWhatIsDeprecatedIsShown(t *testing.T) {
	old := Deprecation{Feature: "limits", Since: "1.4.0", Until: "2.0.0", Instead: provider.Text{EN: "Ask for nothing", RU: "Не просите ничего"}}
	cache := &remembering{}
	opts := Options{Dir: pluginDir(t, "asks-for-more"), Limits: DefaultLimits, Deprecations: []Deprecation{old}, Cache: cache}
	for range 2 {
		h, _ := newHost(t, opts)
		if err := h.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := statusOf(t, h, "asks-for-more").Deprecated; !slices.Equal(got, []Deprecation{old}) {
			t.Errorf("deprecated are %v", got)
		}
		h.Stop(t.Context())
	}
	h, _ := scanned(t, Options{Deprecations: []Deprecation{old}}, "good")
	if got := statusOf(t, h, "good").Deprecated; len(got) != 0 {
		t.Errorf("a plugin that uses nothing of it: %v", got)
	}
}

func TestTheListOfDeprecationsKeepsThePolicy(t *testing.T) {
	for _, d := range deprecations {
		named := 0
		for _, what := range []string{d.Field, d.Feature, d.SDKBefore} {
			if what != "" {
				named++
			}
		}
		if named != 1 || d.Instead.EN == "" || d.Instead.RU == "" || semver.Compare("v"+d.Since, "v"+d.Until) >= 0 {
			t.Errorf("%+v", d)
		}
	}
}

func TestAProgramThatIsNotInGoHasNoSDK(t *testing.T) {
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if version := sdkOf(&program{file: file}); version != "" {
		t.Errorf("the SDK of a script is %s", version)
	}
}
