#!/usr/bin/env bash
# Proves that a release can be installed: makes one in a throwaway clone, serves its
# modules from a module proxy of files, and in empty folders runs what people run,
#   go install github.com/evergrant/evergrant/cmd/evergrant@v…
#   go get github.com/evergrant/evergrant/sdk@v…, with a plugin that compiles.
# Modules of others come from the usual GOPROXY, and what is built is shared with make build.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
# A version of this run alone: a module of the same version would come from Go's cache.
version=v0.0.0-check.$(date +%s)
modules=github.com/evergrant/evergrant
cached=$(go env GOMODCACHE)
export GOPROXY="file://$work/proxy,file://$cached/cache/download,$(go env GOPROXY)"
export GOMODCACHE=$work/modules GONOSUMDB=$modules GONOPROXY=none GOWORK=off CGO_ENABLED=0
GOFLAGS="$(go env GOFLAGS) -trimpath"
export GOFLAGS

git clone --quiet --no-hardlinks --no-tags . "$work/clone"
cd "$work/clone"
export GIT_AUTHOR_NAME=check GIT_AUTHOR_EMAIL=check@example.com GIT_COMMITTER_NAME=check GIT_COMMITTER_EMAIL=check@example.com
sed -i "0,/^## Unreleased\$/s//## Unreleased\n\n## ${version#v} - $(date +%F)/" CHANGELOG.md
git commit --quiet --all --message "Changelog"
# The programs of scripts/ are developers' own, built with the modules that are there.
GOMODCACHE=$cached scripts/release.sh "$version"
GOMODCACHE=$cached go build -o "$work/release" ./scripts/release
"$work/release" proxy "$version" "$version" "$work/proxy"

mkdir "$work/empty" "$work/plugin"
cd "$work/empty"
GOBIN=$work/bin go install "$modules/cmd/evergrant@$version"
said=$("$work/bin/evergrant" --version)
[[ $said == "evergrant $version" ]] || { echo "release-check: the program says \"$said\", not its version $version" >&2; exit 1; }
echo "release-check: go install $modules/cmd/evergrant@$version: $said"
GOBIN=$work/bin go install "$modules/plugins/oauth2@$version"

cd "$work/plugin"
go mod init example.com/evergrant-provider-acme 2>/dev/null
cat >main.go <<'GO'
// A plugin that serves what its build says.
package main

import (
	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func main() {
	providerplugin.Serve(oauth.New(oauth.Config{
		Description: provider.Description{Name: "acme", Title: provider.Text{EN: "Acme", RU: "Acme"}},
		AuthURL:     "https://acme.example/authorize",
		TokenURL:    "https://acme.example/token",
	}))
}
GO
go get "$modules/sdk@$version"
go mod tidy
go build -o "$work/bin/acme" .
! grep -q "$modules " go.mod || { echo "release-check: a plugin needs the hub's module" >&2; exit 1; }
echo "release-check: go get $modules/sdk@$version: a plugin compiles"

# Whoever builds the tag itself has all checksums.
cd "$work/clone"
git checkout --quiet "$version"
GOFLAGS="$GOFLAGS -mod=readonly" go list -deps ./cmd/evergrant >/dev/null
GOFLAGS="$GOFLAGS -mod=readonly" go -C plugins list -deps ./... >/dev/null
echo "release-check: the tag builds by itself, with the checksums that it names"
