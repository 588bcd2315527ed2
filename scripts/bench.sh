#!/usr/bin/env bash
# Runs the benchmarks of the three modules, without any test and without the
# race detector, which would measure itself.
#   scripts/bench.sh [argument of go test...]
set -euo pipefail
cd "$(dirname "$0")/.."

# One package at a time: two at once would measure each other.
exec scripts/with-postgres.sh go test -p 1 -run '^$' -bench . -benchmem "$@" ./... ./sdk/... ./plugins/...
