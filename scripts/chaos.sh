#!/usr/bin/env bash
# Proves that no grant is lost: builds the hub, the hub with crash points and the
# plugins into a folder of its own, and runs hub/test/chaos on them.
#   scripts/chaos.sh [argument of hub/test/chaos...], for example -short, -only=crash or
#   -only=random -seed=7 -for=10m -db=postgres
# A whole long run writes its tables into docs/reliability.md.
set -euo pipefail
cd "$(dirname "$0")/.."

# find_bindir prints the folder of the newest initdb and postgres.
find_bindir() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $newest ]] || newest=$(command -v initdb) || return 1
  dirname "$(readlink -f "$newest")"
}

if ! bindir=$(find_bindir); then
  scripts/install-packages.sh postgresql
  bindir=$(find_bindir)
fi
oidc=plugins/oauth2/oidctest
scripts/test-needs.sh "$oidc"

# PostgreSQL's clock is stepped by a library that is put under it; without it those
# scenes of the part world are left out. A short run has none of them.
find_faketime() { find /usr/lib /usr/local/lib -path '*/faketime/libfaketime.so.1' 2>/dev/null | head -n 1; }
faketime=$(find_faketime)
if [[ -z $faketime && " $* " != *" -short "* && ( $# -eq 0 || $* == *world* ) ]]; then
  scripts/install-packages.sh libfaketime || true
  faketime=$(find_faketime)
fi

built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
mkdir "$built/plugins"
# As scripts/build.sh builds, so that one finds the other's work done.
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:+$GOFLAGS }-trimpath"
go build -o "$built/evergrant" ./cmd/evergrant
go build -tags crashpoints -o "$built/evergrant-crash" ./cmd/evergrant
go build -o "$built/plugins/evergrant-provider-chaos" ./hub/test/chaos/plugin
go build -o "$built/plugins/evergrant-provider-oauth2" ./plugins/oauth2
go build -o "$built/plugins/evergrant-provider-workspace" ./plugins/examples/workspace
go build -o "$built/chaos" ./hub/test/chaos

write=()
[[ $# -gt 0 ]] || write=(-write=docs/reliability.md)
"$built/chaos" -bin="$built" -postgres="$bindir" -oidc="$oidc" -faketime="$faketime" "${write[@]}" "$@"
