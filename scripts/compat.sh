#!/usr/bin/env bash
# Holds today's hub and plugins against those of a baseline, which others still run: that of
# proto/BASELINE, a tag or the commit that wrote the file (BASE names another). Each side's conformance suite is
# run on the other side's plugin, and each side's hub plays its main job (add, authorize,
# pull, renew) with plugins of the other: the oauth2 plugin, with FULL=1 all of them.
# Everything comes from this clone; nothing is fetched.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${BASE:-}
if [[ -z $base && -e proto/BASELINE ]]; then
  base=$(grep -v '^#' proto/BASELINE | head -n 1 | tr -d '[:space:]')
  [[ $base != this-commit ]] || base=$(git log -1 --format=%H -- proto/BASELINE)
fi
if [[ -z $base ]]; then
  base=HEAD
  echo "compat: there is no proto/BASELINE yet, so today's code is held against the last commit itself"
fi
if ! commit=$(git rev-parse --verify --quiet "$base^{commit}"); then
  echo "compat: this clone has no commit $base: fetch the whole history (git fetch --unshallow --tags)" >&2
  exit 1
fi

work=$(mktemp -d)
tree=$work/baseline
cleanup() {
  git worktree remove --force "$tree" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
git worktree add --quiet --detach "$tree" "$commit"

# built builds the command and the plugins of a tree into a folder.
built() {
  local from=$1 into=$2 main name
  mkdir -p "$into/plugins"
  (
    cd "$from"
    export CGO_ENABLED=0
    go build -trimpath -buildvcs=false -o "$into/evergrant" ./cmd/evergrant
    for main in plugins/*/main.go; do
      name=$(basename "$(dirname "$main")")
      go build -trimpath -buildvcs=false -o "$into/plugins/evergrant-provider-$name" "./plugins/$name"
    done
  )
}
built "$tree" "$work/was"
built . "$work/is"

# mixed are the plugins of one side, with those that are tried of the other.
mixed() {
  local own=$1 other=$2 into=$3
  cp -r "$own/plugins" "$into"
  if [[ -n ${FULL:-} ]]; then
    cp "$other"/plugins/* "$into/"
  else
    cp "$other/plugins/evergrant-provider-oauth2" "$into/"
  fi
}
mixed "$work/is" "$work/was" "$work/hub-is"
mixed "$work/was" "$work/is" "$work/hub-was"

cat >"$work/oauth2.json" <<'JSON'
{
  "options": {
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://login.example.com/token",
    "revocation_endpoint": "https://login.example.com/revoke",
    "userinfo_endpoint": "https://login.example.com/me"
  }
}
JSON

# try runs one of the four; its output is shown if it fails.
failed=0
try() {
  local what=$1
  shift
  if "$@" >"$work/log" 2>&1 </dev/null; then
    echo "compat: $what: passed"
  else
    echo "compat: $what: FAILED"
    sed 's/^/  /' "$work/log"
    failed=$((failed + 1))
  fi
}
short=$(git rev-parse --short "$commit")
try "today's suite on the plugin of $short" "$work/is/evergrant" plugin test --unconfined --fixtures "$work/oauth2.json" "$work/was/plugins/evergrant-provider-oauth2"
try "the suite of $short on today's plugin" "$work/was/evergrant" plugin test --unconfined --fixtures "$work/oauth2.json" "$work/is/plugins/evergrant-provider-oauth2"
try "today's hub with plugins of $short" "$work/is/evergrant" smoke-test --plugins-dir "$work/hub-is"
try "the hub of $short with today's plugins" "$work/was/evergrant" smoke-test --plugins-dir "$work/hub-was"
[[ $failed -eq 0 ]] || exit 1
echo "compat: hub and plugins of today and of $short work with each other"
