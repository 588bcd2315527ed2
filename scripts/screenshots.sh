#!/usr/bin/env bash
# Takes the pictures of docs/screenshots anew: every page of the web hub, light
# and dark, from a running hub with the emulators behind it.
set -euo pipefail
cd "$(dirname "$0")/.."

EVERGRANT_TEST_CHROMIUM=$(scripts/chromium.sh)
EVERGRANT_TEST_PROMETHEUS=$(scripts/prometheus.sh)
export EVERGRANT_TEST_CHROMIUM EVERGRANT_TEST_PROMETHEUS
export EVERGRANT_SCREENSHOTS=$PWD/docs/screenshots
mkdir -p "$EVERGRANT_SCREENSHOTS"
go test -count=1 -timeout 10m -run '^TestScreenshots(OfARestore|OfDoubtedClocks)?$|^TestDashboardPicture$|^TestAPluginOfAThirdPartyIsWrittenInstalledAndConnected$' ./hub
echo "screenshots: look at them in docs/screenshots before you commit them"
