#!/usr/bin/env bash
# Prints the path of a Chromium for the browser tests, installing Debian's when
# there is none. EVERGRANT_TEST_CHROMIUM names another one.
set -euo pipefail
cd "$(dirname "$0")/.."

find_chromium() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  return 1
}

if [[ -n ${EVERGRANT_TEST_CHROMIUM:-} ]]; then
  [[ -x $EVERGRANT_TEST_CHROMIUM ]] || { echo "chromium: EVERGRANT_TEST_CHROMIUM=$EVERGRANT_TEST_CHROMIUM cannot be run" >&2; exit 1; }
  echo "$EVERGRANT_TEST_CHROMIUM"
elif ! find_chromium; then
  # A font with Cyrillic letters: without one Russian pages are empty boxes.
  scripts/install-packages.sh chromium fonts-dejavu-core
  find_chromium
fi
