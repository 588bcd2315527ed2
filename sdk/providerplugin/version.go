package providerplugin

import (
	"runtime/debug"
	"strings"
)

// Version of the plugin, set at build time by
// -ldflags "-X github.com/evergrant/evergrant/sdk/providerplugin.Version=1.2.3".
// Without it a plugin that was installed as a module has that module's version, and
// one that was built from a working copy names the revision it was built from.
var Version string

// version is what Describe reports: a semantic version without a "v" before it.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(Version, info)
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
