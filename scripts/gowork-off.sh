#!/usr/bin/env bash
# Builds each module alone, as somebody who depends on it does: go.work would
# hide a missing requirement or a wrong replace.
set -euo pipefail
cd "$(dirname "$0")/.."
# As scripts/build.sh builds, so that one finds the other's work done.
export GOWORK=off CGO_ENABLED=0 GOFLAGS="${GOFLAGS:+$GOFLAGS }-trimpath"

for module in sdk plugins .; do
  # Nothing is kept: a lone program would be written into its own folder.
  go -C "$module" build -o /dev/null ./...
done
for module in hub/test/foreign/*/; do
  go -C "$module" build -o /dev/null ./...
done
echo "gowork-off: every module builds on its own"
