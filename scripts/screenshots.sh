#!/usr/bin/env bash
# Takes pictures of every page of the web hub into .cache/screenshots, from a running hub
# with the emulators behind it.
#   scripts/screenshots.sh --keep   puts those that docs/screenshots has into their place, too
set -euo pipefail
cd "$(dirname "$0")/.."

EVERGRANT_TEST_CHROMIUM=$(scripts/chromium.sh)
EVERGRANT_TEST_PROMETHEUS=$(scripts/prometheus.sh)
export EVERGRANT_TEST_CHROMIUM EVERGRANT_TEST_PROMETHEUS
export EVERGRANT_SCREENSHOTS=$PWD/.cache/screenshots
mkdir -p "$EVERGRANT_SCREENSHOTS"
go test -count=1 -timeout 10m -run '^TestScreenshots(OfARestore|OfDoubtedClocks)?$|^TestDashboardPicture$|^TestAPluginOfAThirdPartyIsWrittenInstalledAndConnected$' ./hub/test/browser
echo "screenshots: $(find "$EVERGRANT_SCREENSHOTS" -name '*.png' | wc -l) pictures are in .cache/screenshots"

if [[ ${1:-} == --keep ]]; then
  command -v pngquant >/dev/null || scripts/install-packages.sh pngquant
  for kept in docs/screenshots/*.png; do
    # A palette of 256 colours is enough for pages, and a third of the size.
    pngquant --force --strip --quality=70-95 --speed=1 --output "$kept" "$EVERGRANT_SCREENSHOTS/$(basename "$kept")"
  done
  echo "screenshots: look at those in docs/screenshots before you commit them"
fi
