#!/usr/bin/env bash
# Proves that no grant is lost: builds the hub, the hub with crash points and the
# plugins into a folder of its own, and runs hub/chaos on them.
#   scripts/chaos.sh [argument of hub/chaos...], for example -short, -only=crash or
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
if [[ ! $oidc/node_modules/.package-lock.json -nt $oidc/package-lock.json ]]; then
  command -v npm >/dev/null || scripts/install-packages.sh nodejs npm
  npm --prefix "$oidc" ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
fi

built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
mkdir "$built/plugins"
export CGO_ENABLED=0
go build -o "$built/evergrant" ./cmd/evergrant
go build -tags crashpoints -o "$built/evergrant-crash" ./cmd/evergrant
go build -o "$built/plugins/evergrant-provider-chaos" ./hub/chaos/plugin
go build -o "$built/plugins/evergrant-provider-oauth2" ./plugins/oauth2
go build -o "$built/chaos" ./hub/chaos

write=()
[[ $# -gt 0 ]] || write=(-write=docs/reliability.md)
"$built/chaos" -bin="$built" -postgres="$bindir" -oidc="$oidc" "${write[@]}" "$@"
