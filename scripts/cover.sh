#!/usr/bin/env bash
# Prints how many of each package's statements its own tests run, on SQLite and
# PostgreSQL, and fails if a package of the lower floors is under its mark.
#   scripts/cover.sh [argument of go test...] [./package...]
# With packages only those are tested, and only their marks count.
set -euo pipefail
cd "$(dirname "$0")/.."

# Marks in percent: the lowest three floors (scripts/floors) whole, and of the others those by
# whose mistakes grants are lost. Their own tests have to show it, without a whole hub around
# them. crashpoint is compiled away but for chaos. The store's statements are run for the most
# part by the tests of the packages above it; its mark is what its own tests reach, and
# only ever rises.
declare -A marks=()
for package in bounded calendar changes clock config i18n mount randtoken seal tracing web/assets \
  connection service policy pluginpack sandbox \
  egress endpoint exchange journal newest pluginhost operation channel \
  tokensource authflow doctor incident bulk; do
  marks[$package]=80
done
marks[store]=60

packages=(./hub/internal/... ./sdk/...)
[[ " $* " == *" ./"* ]] && packages=()
said=$(mktemp)
trap 'rm -f "$said"' EXIT
# -covermode=atomic as in a run with -race; -count=1 as a kept result has no figure of a
# process that the tests start.
failed=0
scripts/with-postgres.sh go test -covermode=atomic -cover -count=1 -timeout 30m "$@" "${packages[@]}" >"$said" 2>&1 || failed=1
if [[ $failed -ne 0 ]]; then
  grep -v '^ok\|no test files\|coverage: 0.0% of statements' "$said" >&2 || true
  echo "cover: tests failed, so the figures would say nothing" >&2
  exit 1
fi

module=$(sed -n 's/^module //p' go.mod)
under=()
while read -r percent path; do
  printf '%6s %%  %s\n' "$percent" "${path#"$module"/}"
  mark=${marks[${path#"$module"/hub/internal/}]:-0}
  awk -v have="$percent" -v want="$mark" 'BEGIN { exit !(have < want) }' && under+=("${path##*/} has $percent %, its mark is $mark %")
done < <(sed -nE 's/^(ok)?[[:space:]]+([^[:space:]]+)[[:space:]].*coverage: ([0-9.]+)% of statements.*/\3 \2/p' "$said" | sort -k2)
if [[ ${#under[@]} -gt 0 ]]; then
  printf 'cover: %s\n' "${under[@]}" >&2
  exit 1
fi
echo "cover: no package is under its mark"
