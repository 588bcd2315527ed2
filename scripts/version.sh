#!/usr/bin/env bash
# Prints the version of this tree: v1.2.3 at a release, v1.2.3-4-g97d704f after it,
# 97d704f where there is no release yet, each with -dirty if something is not committed,
# and dev outside of git. BUILD_VERSION names another one.
#   scripts/version.sh --semantic   prints it as a semantic version, which plugins have
set -euo pipefail
cd "$(dirname "$0")/.."

# The modules below have tags of their own, which are no versions of the whole.
version=${BUILD_VERSION:-$(git describe --tags --match 'v[0-9]*' --always --dirty 2>/dev/null || echo dev)}
if [[ ${1:-} != --semantic ]]; then
  echo "$version"
elif [[ $version =~ ^v([0-9]+\.[0-9]+\.)([0-9]+)-([0-9]+)-(g[0-9a-f]+(-dirty)?)$ ]]; then
  # What comes after 1.2.3 is newer than it: 1.2.3-4-… would be older.
  echo "${BASH_REMATCH[1]}$((BASH_REMATCH[2] + 1))-dev.${BASH_REMATCH[3]}.${BASH_REMATCH[4]}"
elif [[ $version =~ ^v([0-9]+\.[0-9]+\.[0-9]+.*)$ ]]; then
  echo "${BASH_REMATCH[1]}"
else
  echo "0.0.0-g${version#g}"
fi
