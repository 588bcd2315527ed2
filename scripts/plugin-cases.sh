#!/usr/bin/env bash
# Runs every case of docs/plugin-host.md with real processes and closes with
# "N passed, N failed, N skipped".
#   scripts/plugin-cases.sh [-write]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/test-needs.sh
EVERGRANT_TEST_CHROMIUM=$(scripts/chromium.sh)
export EVERGRANT_TEST_CHROMIUM
scripts/with-postgres.sh go run ./scripts/cases "$@"
