#!/usr/bin/env bash
# Lints the Go code of the three modules by .golangci.yml and the provider
# contract by proto/buf.yaml.
#   scripts/lint.sh [package pattern...]
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/bin:$PATH

[[ $# -gt 0 ]] || set -- ./... ./sdk/... ./plugins/...
golangci-lint run "$@"
buf lint proto
echo "lint: nothing found"
