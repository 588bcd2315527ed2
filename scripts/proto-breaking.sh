#!/usr/bin/env bash
# Fails if the provider contract breaks plugins that were built against the
# last commit of the main branch (BASE names another commit). CI that checks
# out one commit only has origin/main or nothing, which is said and passed.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/bin:$PATH

for base in ${BASE:-origin/main main}; do
  if git cat-file -e "$base:proto/buf.yaml" 2>/dev/null; then
    earlier=$(mktemp -d)
    trap 'rm -rf "$earlier"' EXIT
    git archive "$base" proto | tar -x -C "$earlier"
    buf breaking proto --against "$earlier/proto"
    echo "proto-breaking: nothing breaks since $base"
    exit 0
  fi
done
echo "proto-breaking: git history holds no earlier contract to compare with"
