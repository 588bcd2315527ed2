#!/usr/bin/env bash
# Writes the generated code: sdk/proto and docs/contract-reference.md from proto,
# docs/providers.md from the definitions, and a
# *_templ.go beside every *.templ of the web hub. Both tools come from bin/ and work offline.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/bin:$PATH

# Into a folder of its own first: what has no .proto any more goes away, and a
# failure leaves the tree as it was.
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
(cd proto && buf generate --template buf.gen.yaml --output "$new/proto-root")
fresh=$new/sdk/proto
mkdir -p sdk/proto
while read -r old; do
  [[ -e $fresh/$old ]] || rm "sdk/proto/$old"
done < <(cd sdk/proto && find . -name '*.pb.go')
cp -r "$fresh/." sdk/proto/

# The contract as plugins in other languages load it.
for language in node python; do
  (cd proto && buf build --as-file-descriptor-set --output "../plugins/examples/$language/provider.binpb")
done

# The reference that people read, from the comments of the contract.
go run ./scripts/contractdoc

# The table of described services, from their definitions.
go run ./scripts/providersdoc

# templ removes what has no .templ any more by itself.
templ generate -path hub -log-level warn
