#!/usr/bin/env bash
# Plays the attacks of docs/threat-model.md against a real hub, its store and its plugins,
# and closes with "attack: N tried, N held, N open".
#   scripts/attack.sh [-write]
#   scripts/attack.sh -defects=scripts/cases/defects.json [-only=word]   plants defects that the attacks have to notice
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/test-needs.sh
EVERGRANT_TEST_CHROMIUM=$(scripts/chromium.sh)
export EVERGRANT_TEST_CHROMIUM
scripts/with-postgres.sh go run ./scripts/cases -attack "$@"
