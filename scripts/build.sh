#!/usr/bin/env bash
# Builds bin/evergrant and one bin/plugins/evergrant-provider-<name> for every
# plugins/<name> that is a program. The binaries are static, so a plugin runs
# where there is no libc, and hold no path of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(scripts/version.sh)
semantic=$(scripts/version.sh --semantic)
export CGO_ENABLED=0
flags=(-trimpath -ldflags "-s -w -X main.version=$version -X github.com/evergrant/evergrant/sdk/providerplugin.version=$semantic")

mkdir -p bin/plugins
go build "${flags[@]}" -o bin/evergrant ./cmd/evergrant

# A binary whose sources are gone must not be started any more.
built=" "
for main in plugins/*/main.go; do
  [[ -e $main ]] || break
  name=$(basename "$(dirname "$main")")
  go build "${flags[@]}" -o "bin/plugins/evergrant-provider-$name" "./plugins/$name"
  built+="evergrant-provider-$name "
done
for binary in bin/plugins/evergrant-provider-*; do
  [[ -e $binary && $built != *" $(basename "$binary") "* ]] && rm -f "$binary"
done
echo "build: bin/evergrant $version and plugins:${built% }"
