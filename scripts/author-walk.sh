#!/usr/bin/env bash
# Plays what the author of a plugin and an administrator do, and prints every
# command with what it said: a plugin is written in a folder outside this
# repository, proven, packed and signed, handed in in a browser to a hub that runs,
# approved, enabled and connected to its service, with no restart. Before that the
# example of the author's guide is followed word for word, and its lines are counted.
set -euo pipefail
cd "$(dirname "$0")/.."

EVERGRANT_TEST_CHROMIUM=$(scripts/chromium.sh)
export EVERGRANT_TEST_CHROMIUM
go test -count=1 -v -timeout 10m -run '^TestAServiceWithTwoQuirksTakesFortyLines$|^TestTheGuideNamesEveryFieldOfTheStandardProvider$|^TestTheWorkflowOfANewPluginCanBeRead$' ./hub/authorkit |
  grep -v '^=== RUN'
go test -count=1 -v -timeout 10m -run '^TestAPluginOfAThirdPartyIsWrittenInstalledAndConnected$|^TestThePackageThatTheCommandLineInstallsIsShownAndAgreedTo$' ./hub/test/browser |
  grep -v '^=== RUN'
