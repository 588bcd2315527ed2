#!/usr/bin/env bash
# Runs the commands of README.md, README.ru.md, CONTRIBUTING.md, docs/ and the examples in a
# fresh clone, beside a hub on SQLite and loopback, and writes what came of each, or why it
# was left out, to .cache/documented-commands.md. Fails if one fails.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .cache
log=$PWD/.cache/documented-commands.md
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone --quiet --no-hardlinks . "$clone/evergrant"
make --no-print-directory -C "$clone/evergrant" build
npm --prefix "$clone/evergrant/plugins/examples/node" ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
cd "$clone/evergrant"
EVERGRANT_TEST_CLONE=$PWD EVERGRANT_TEST_COMMANDS_LOG=$log \
  go test -count=1 -v -timeout 30m -run '^TestEveryDocumentedCommand(IsKnown|Runs)$' ./hub/test/e2e | grep -v '^=== RUN'
echo "documented-commands: $(grep -c '| exit' "$log") ran, $(grep -c '| left out' "$log") left out; see .cache/documented-commands.md"
