package providerplugin

import (
	"runtime/debug"
	"strings"
)

// version of the plugin, set at build time by
// -ldflags "-X github.com/evergrant/evergrant/sdk/providerplugin.version=1.2.3".
var version string

// Version is what the plugin reports as its version, a semantic one without a "v" before
// it. It is set at build time by
//
//	go build -ldflags "-X github.com/evergrant/evergrant/sdk/providerplugin.version=1.2.3"
//
// Without that a plugin that was installed as a module has that module's version, and one
// that was built from a working copy names the revision it was built from.
func Version() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(version, info)
}

// versionOf takes what the build has set, then the version of the plugin's own module,
// then the revision of its working copy. The last two stay below every release, so that
// no package counts as a step back from a development build. The info may be nil.
func versionOf(set string, info *debug.BuildInfo) string {
	if set != "" {
		return strings.TrimPrefix(set, "v")
	}
	if info == nil {
		return development
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return strings.TrimPrefix(v, "v")
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision == "" {
		return development
	}
	built := "0.0.0-g" + revision[:min(len(revision), 12)]
	if settings["vcs.modified"] == "true" {
		built += "-dirty"
	}
	return built
}

// development is the version of a build without information about its source: outside of
// version control, or with -buildvcs=false.
const development = "0.0.0-dev"
