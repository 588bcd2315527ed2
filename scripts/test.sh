#!/usr/bin/env bash
# Runs the tests of the three modules with the race detector, after bringing
# along what they need: PostgreSQL, Chromium, Prometheus and the npm packages of
# the authorization server that the oauth2 plugin is proven against.
#   scripts/test.sh [argument of go test...] [./package...]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/test-needs.sh
EVERGRANT_TEST_CHROMIUM=$(scripts/chromium.sh)
export EVERGRANT_TEST_CHROMIUM
EVERGRANT_TEST_PROMETHEUS=$(scripts/prometheus.sh)
export EVERGRANT_TEST_PROMETHEUS

go_test=(go test)
if [[ -x bin/gotestsum ]]; then
  go_test=(bin/gotestsum --format standard-quiet --format-hide-empty-pkg --)
fi
# SQLite's translated C is not our code, and under the race detector it takes half of
# the time of all tests; what calls it stays under the detector. Vet is left to the linter.
race=(-race '-gcflags=modernc.org/sqlite/lib=-race=false' -vet=off -timeout 55m)
packages=(./... ./sdk/... ./plugins/...)
[[ " $* " == *" ./"* ]] && packages=()
said=$(mktemp)
trap 'rm -f "$said"' EXIT
scripts/with-postgres.sh "${go_test[@]}" "${race[@]}" "$@" "${packages[@]}" 2>&1 | tee "$said" && exit 0

# The race detector itself breaks on rare occasions, which says nothing about the test
# that happened to run. Only if nothing else failed, those packages are run once more.
mapfile -t failed < <(sed -n 's/^=== FAIL: \([^ ]*\) .*/\1/p' "$said" | sort)
broken=$(grep -c 'ThreadSanitizer: CHECK failed' "$said" || true)
[[ ${#failed[@]} -gt 0 && ${#failed[@]} -eq $broken ]] || exit 1
echo "test: the race detector broke in ${failed[*]}; once more"
mapfile -t again < <(printf './%s\n' "${failed[@]}" | sort -u)
scripts/with-postgres.sh "${go_test[@]}" "${race[@]}" "$@" "${again[@]}"
