#!/usr/bin/env bash
# Fails, showing the difference, if `go mod tidy` would change a go.mod or
# go.sum. Each module is looked at as its users see it, without go.work. The servers of
# others that tests run are modules of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off

stale=()
for module in sdk plugins . tools hub/test/foreign/*/; do
  go -C "$module" mod tidy -diff || stale+=("$module")
done
if [[ ${#stale[@]} -gt 0 ]]; then
  echo "tidy-check: run \`GOWORK=off go mod tidy\` in: ${stale[*]}" >&2
  exit 1
fi
echo "tidy-check: every go.mod is tidy"
