#!/usr/bin/env bash
# Fails if the generated code is not what `make generate` makes of its sources, what is not
# committed yet included. It is made in a copy: what is built beside this never reads a file
# that is half written.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do if [[ -e $file ]]; then printf '%s\0' "$file"; fi; done |
  tar --create --null --files-from=- | tar --extract --directory="$copy"
ln -s "$PWD/bin" "$copy/bin"

checksums() {
  (
    cd "$copy"
    find hub sdk plugins/examples docs/contract-reference.md docs/providers.md \( -name '*.pb.go' -o -name '*_templ.go' -o -name '*.binpb' -o -name contract-reference.md -o -name providers.md \) -print |
      LC_ALL=C sort | xargs -r sha256sum
  )
}

before=$(checksums)
"$copy/scripts/generate.sh"
after=$(checksums)
if [[ $before != "$after" ]]; then
  echo "generate-check: generated code is stale; run 'make generate' and commit:" >&2
  diff <(echo "$before") <(echo "$after") | sed -nE 's/^[<>] [0-9a-f]+ +//p' | sort -u >&2
  exit 1
fi
echo "generate-check: generated code is current"
