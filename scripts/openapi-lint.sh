#!/usr/bin/env bash
# Holds the hub's OpenAPI document against two linters, Spectral and Redocly, and fails at
# any error or warning. They are installed into .cache/, as scripts/openapi/package-lock.json
# pins them, without running a script of a package.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
folder=$root/.cache/openapi
mkdir -p "$folder"
cp scripts/openapi/{package.json,package-lock.json,.spectral.yaml,redocly.yaml,.redocly.lint-ignore.yaml} "$folder"

command -v npm >/dev/null || scripts/install-packages.sh nodejs npm
if ! cmp -s "$folder/package-lock.json" "$folder/node_modules/.of"; then
  echo "openapi-lint: installing the linters into .cache/ (half a minute the first time)"
  npm --prefix "$folder" ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
  cp "$folder/package-lock.json" "$folder/node_modules/.of"
fi

CGO_ENABLED=0 go build -trimpath -o "$folder/evergrant" ./cmd/evergrant
data=$(mktemp -d "$folder/data.XXXXXX")
mkdir "$data/plugins"
for port in $(shuf -i 20000-29000 -n 50); do
  (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
done
# A hub's name that is no example, as a deployment has one.
"$folder/evergrant" serve --data-dir "$data" --plugins-dir "$data/plugins" --listen "127.0.0.1:$port" --public-url https://tokens.test >"$data/log" 2>&1 &
hub=$!
trap 'kill $hub 2>/dev/null || true; wait $hub 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 300); do
  curl -fsS -o "$folder/openapi.json" "http://127.0.0.1:$port/api/v1/openapi.json" 2>/dev/null && break
  kill -0 $hub 2>/dev/null || { cat "$data/log"; exit 1; }
  sleep 0.2
done

cd "$folder"
PATH=$folder/node_modules/.bin:$PATH
spectral lint openapi.json --ruleset .spectral.yaml --fail-severity warn
REDOCLY_TELEMETRY=off redocly lint openapi.json --config redocly.yaml --format json >redocly.json || true
node -e '
  const {totals, problems} = JSON.parse(require("fs").readFileSync("redocly.json"))
  for (const p of problems.filter(p => !p.ignored)) console.log(`${p.severity}  ${p.ruleId}  ${p.location[0].pointer}  ${p.message}`)
  console.log(`redocly: ${totals.errors} errors, ${totals.warnings} warnings, ${totals.ignored} ignored`)
  process.exit(totals.errors + totals.warnings ? 1 : 0)'
