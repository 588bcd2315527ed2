#!/usr/bin/env bash
# Fails if the generated Go code is not what `make generate` makes of its
# sources. Compares checksums, so that work that is not committed yet counts;
# afterwards the tree holds the fresh code.
set -euo pipefail
cd "$(dirname "$0")/.."

checksums() {
  find hub sdk plugins/examples docs/contract-reference.md docs/providers.md -name node_modules -prune -o \( -name '*.pb.go' -o -name '*_templ.go' -o -name '*.binpb' -o -name contract-reference.md -o -name providers.md \) -print | LC_ALL=C sort | xargs -r sha256sum
}

before=$(checksums)
scripts/generate.sh
after=$(checksums)
if [[ $before != "$after" ]]; then
  echo "generate-check: generated code was stale; it is fresh now, please commit it:" >&2
  diff <(echo "$before") <(echo "$after") | sed -nE 's/^[<>] [0-9a-f]+ +//p' | sort -u >&2
  exit 1
fi
echo "generate-check: generated code is current"
