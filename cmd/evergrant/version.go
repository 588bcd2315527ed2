package main

import (
	"fmt"
	"runtime/debug"
)

// version is set at build time by -ldflags "-X main.version=v1.2.3". Without it the
// program has the version of its module, or says that it is a build of developers.
var version string

func init() {
	info, _ := debug.ReadBuildInfo()
	version = versionOf(version, info)
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	fmt.Println("evergrant", version)
	return nil
}

// versionOf takes what the build has set, then what `go install` of a module version or
// git has put into the build's information, which may be nil. A build without it
// is "dev", with the revision of its working copy if there is one.
func versionOf(set string, info *debug.BuildInfo) string {
	if set != "" {
		return set
	}
	if info == nil {
		return "dev"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = "-" + s.Value[:min(len(s.Value), 12)]
		case "vcs.modified":
			if s.Value == "true" {
				modified = "-dirty"
			}
		}
	}
	return "dev" + revision + modified
}
