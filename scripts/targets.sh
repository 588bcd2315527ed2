#!/usr/bin/env bash
# Runs each target of the Makefile in a clone of its own, made of the last commit, so
# that nothing which another target has left behind helps it, and prints a table: what
# was run, what came of it, how long it took. Closes with "N passed, N failed, N left out".
#   scripts/targets.sh [target...]
#   scripts/targets.sh -list        only says how each would be run
# Long targets run in the short form that is written here; with FULL=1 as they are. Go's
# caches are shared. The logs of targets that failed are kept.
set -euo pipefail
cd "$(dirname "$0")/.."

# short prints the arguments with which a target is run, one on a line, or "-" and why it
# is left out.
# A target that is not here is a mistake: whoever adds one says how it is tried.
short() {
  case $1 in
    help | build | smoke-test | quickstart | author-walk | plugin-cases | documented-commands | proxies | compat) ;;
    check | lint | vet | generate-check | tidy-check | gowork-off | proto-breaking) ;;
    generate | assets | drill | clean | openapi-lint) ;;
    dist) echo 'DIST_ARCHS=amd64' ;;
    image | image-check | release-check) ;;
    run) echo "- it runs until it is stopped; quickstart starts it, alone and with DEMO=1" ;;
    targets-check) echo "- it is this" ;;
    test) echo 'ARGS=./plugins/examples ./sdk/... -short' ;;
    test-short) echo 'ARGS=-run=^TestA' ;;
    cover) echo 'ARGS=./hub/internal/service ./hub/internal/randtoken' ;;
    e2e) echo 'ARGS=-run=TestAdministratorsAPI' ;;
    browser) echo 'ARGS=-run=TestHostileTextStaysText' ;;
    foreign) echo 'ARGS=-run=Strangers|OIDCProvider' ;;
    attack) echo 'ARGS=-defects=scripts/cases/defects.json -only=session' ;;
    chaos) echo 'SHORT=1' ;;
    outdated) ;;
    fuzz) printf '%s\n' 'FUZZTIME=5s' 'FUZZ=Manifest|TokenReply' ;;
    simulate) echo 'ARGS=-seed=42 -worlds=1 -for=2h' ;;
    bench) echo 'ARGS=-bench=^BenchmarkPluginCall$ -benchtime=1x' ;;
    bench-pair) echo 'ARGS=HEAD --runs=1 --bench=^BenchmarkCallbackToExchange$' ;;
    screenshots) echo "- the tests that take its pictures are among those of browser; people look at what it takes" ;;
    *) return 1 ;;
  esac
}

# full prints the same for whole runs.
full() {
  case $1 in
    run | targets-check) short "$1" ;;
    bench-pair) echo 'ARGS=HEAD --runs=1' ;;
    *) short "$1" >/dev/null ;;
  esac
}

all=$(sed -n 's/^\([a-z0-9-]*\):.*## .*/\1/p' Makefile)
list=
[[ ${1:-} != -list ]] || { list=1 && shift; }
targets=("$@")
[[ $# -gt 0 ]] || mapfile -t targets <<<"$all"

work=$(mktemp -d)
logs=${TMPDIR:-/tmp}/evergrant-targets
mkdir -p "$logs"
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
passed=0 failed=0 left=0

row() { printf '| %s | %s | %s | %s |\n' "$@"; }

# try runs one target in its clone.
try() {
  local target=$1 form log=$logs/$1.log clone=$work/$1 begun=$SECONDS arguments=() argument shown
  if ! form=$([[ -n ${FULL:-} ]] && full "$target" || { [[ -z ${FULL:-} ]] && short "$target"; }); then
    row "$target" "" "**failed**: scripts/targets.sh does not say how it is tried" ""
    failed=$((failed + 1))
    return
  fi
  if [[ $form == "- "* ]]; then
    row "$target" "" "left out: ${form#- }" ""
    left=$((left + 1))
    return
  fi
  [[ -z $form ]] || mapfile -t arguments <<<"$form"
  shown="make $target"
  for argument in "${arguments[@]}"; do
    shown+=" ${argument%%=*}=\"${argument#*=}\""
  done
  if [[ -n $list ]]; then
    row "$target" "\`$shown\`" listed ""
    return
  fi
  git clone --quiet --no-tags . "$clone"
  # What is set here for tests of this tree is not for the clone.
  if env -u EVERGRANT_TEST_POSTGRES -u EVERGRANT_PLUGINS_DIR -u EVERGRANT_DATA_DIR -u MAKEFLAGS -u MAKELEVEL -u FULL \
    timeout --kill-after=60 3600 make --no-print-directory -C "$clone" "$target" "${arguments[@]}" >"$log" 2>&1 </dev/null; then
    row "$target" "\`$shown\`" passed "$((SECONDS - begun)) s"
    passed=$((passed + 1))
    rm -f "$log"
  else
    row "$target" "\`$shown\`" "**failed**" "$((SECONDS - begun)) s"
    failed=$((failed + 1))
    tail -n 5 "$log" >&2
    echo "targets: the whole log of $target is $log" >&2
  fi
  chmod -R u+w "$clone"
  rm -rf "$clone"
}

row target run result time
echo "|---|---|---|---|"
for target in "${targets[@]}"; do
  try "$target"
done
echo
echo "$passed passed, $failed failed, $left left out"
((failed == 0))
