#!/usr/bin/env bash
# Runs the samples of docs/deploying.md for nginx and Caddy in front of a hub, all on
# loopback: pages, forms, packages, streams, waiting pulls, and whose address the hub sees.
# Traefik is no Debian package; its sample is not run.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v nginx >/dev/null || missing+=(nginx-light)
command -v caddy >/dev/null || missing+=(caddy)
((${#missing[@]})) && scripts/install-packages.sh "${missing[@]}"
nginx -v
caddy version
go test -count=1 -v -run '^TestTheSamplesFor(ReverseProxies|APath)Work$' ./hub/test/e2e | grep -v '^=== RUN'
