#!/usr/bin/env bash
# Runs every fuzz target of the three modules for FUZZTIME each (default 1m), one after
# the other. What is found is kept in the package's testdata/fuzz, as go test does it, and
# fails the script at its end. FUZZ chooses targets by a regular expression, PARALLEL is
# how many workers each has (default 1).
set -uo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-1m}
choose=${FUZZ:-.}
parallel=${PARALLEL:-1}
targets=0 findings=0

# The packages are found by their source, for listing the tests of all others would
# build them.
while read -r folder; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$folder"/*_test.go | cut -c6- | grep -qE -- "$choose" || continue # not built for nothing
  while read -r target; do
    [[ $target =~ $choose ]] || continue
    targets=$((targets + 1))
    echo "--- $folder $target, $time"
    if ! go test "./$folder" -run "^$target\$" -fuzz "^$target\$" -fuzztime "$time" -parallel "$parallel" -timeout 0 </dev/null; then
      findings=$((findings + 1))
      echo "found: $folder $target"
    fi
  done < <(go test "./$folder" -list '^Fuzz' </dev/null | grep '^Fuzz')
done < <(grep -rl '^func Fuzz' --include='*_test.go' cmd hub sdk plugins scripts | xargs -rn1 dirname | sort -u)

echo "fuzz: $targets targets, $findings findings"
[[ $findings -eq 0 && $targets -gt 0 ]]
