package pluginhost

import (
	"debug/buildinfo"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Deprecation is something of the contract that plugins should not use any more. One of
// Field, Feature and SDKBefore says what; docs/contract.md has the policy.
type Deprecation struct {
	// Field is the full name of a field of the contract that a description has set.
	Field string
	// Feature is the name of a feature that a plugin needs.
	Feature string
	// SDKBefore is a version of the SDK, with "v": plugins built with an older one.
	SDKBefore string
	// Since is the release that deprecated it, and Until the first one that may be without.
	Since, Until string
	// Instead is what the author of the plugin has to do.
	Instead provider.Text
}

// String names what is deprecated, for programs and logs.
func (d Deprecation) String() string {
	switch {
	case d.Field != "":
		return usesField + d.Field
	case d.Feature != "":
		return usesFeature + d.Feature
	}
	return usesSDK + "before " + d.SDKBefore
}

// deprecations are those of the contract. Nothing is deprecated yet.
var deprecations []Deprecation

// Kinds of what a plugin uses, before its name.
const (
	usesField   = "field "
	usesFeature = "feature "
	usesSDK     = "sdk "
)

// sdkModule is the module that authors of plugins in Go import.
const sdkModule = "github.com/evergrant/evergrant/sdk"

// usesOf lists what a plugin uses that is deprecated or may become so, sorted.
func usesOf(info *providerplugin.PluginInfo, program *program) (uses []string) {
	for _, field := range info.Deprecated {
		uses = append(uses, usesField+field)
	}
	for _, feature := range info.Requirements.Needs {
		uses = append(uses, usesFeature+feature)
	}
	if info.Documents {
		uses = append(uses, usesFeature+providerplugin.FeatureDocuments)
	}
	if version := sdkOf(program); version != "" {
		uses = append(uses, usesSDK+version)
	}
	slices.Sort(uses)
	return uses
}

// sdkOf is the version of the SDK that a program was built with; "" for one that is not in
// Go, or that was built from a working copy of the SDK.
func sdkOf(program *program) string {
	info, err := buildinfo.Read(program.file)
	if err != nil {
		return ""
	}
	for _, dep := range info.Deps {
		if dep.Path == sdkModule && dep.Replace == nil && semver.IsValid(dep.Version) {
			return dep.Version
		}
	}
	return ""
}

// concerns reports whether a plugin uses what is deprecated.
func (d Deprecation) concerns(uses []string) bool {
	return slices.ContainsFunc(uses, func(use string) bool {
		switch {
		case d.Field != "":
			return use == usesField+d.Field
		case d.Feature != "":
			return use == usesFeature+d.Feature
		}
		version, sdk := strings.CutPrefix(use, usesSDK)
		return sdk && d.SDKBefore != "" && semver.Compare(version, d.SDKBefore) < 0
	})
}

// concerning are those of a list that concern a plugin.
func concerning(list []Deprecation, uses []string) (some []Deprecation) {
	for _, d := range list {
		if d.concerns(uses) {
			some = append(some, d)
		}
	}
	return some
}
