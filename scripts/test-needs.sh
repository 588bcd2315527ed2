#!/usr/bin/env bash
# Installs what tests in other languages need: exactly the npm packages that each
# package-lock.json names, without running a script of a package, and Debian's Python
# packages. What is there is kept.
#   scripts/test-needs.sh [folder with a package-lock.json...]
# With folders only their npm packages are installed.
set -euo pipefail
cd "$(dirname "$0")/.."

npm_packages() {
  [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]] && return
  command -v npm >/dev/null || scripts/install-packages.sh nodejs npm
  echo "test-needs: npm packages of $1" >&2
  npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
}

if [[ $# -gt 0 ]]; then
  for folder in "$@"; do npm_packages "$folder"; done
  exit 0
fi
while read -r lock; do
  npm_packages "$(dirname "$lock")"
done < <(find hub plugins -name node_modules -prune -o -name package-lock.json -print)
# The interpreter of Debian, whatever else is on the path, has Debian's packages.
/usr/bin/python3 -c 'import grpc, google.protobuf, cryptography' 2>/dev/null ||
  scripts/install-packages.sh python3-grpcio python3-protobuf python3-cryptography
