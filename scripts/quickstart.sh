#!/usr/bin/env bash
# Starts the hub with `make run`, alone and beside the emulated services, on a new data folder
# with a relative path as ./data is, looks whether it serves, and stops it. Twice each: a hub
# that has been there starts on what it left.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .cache

free_port() {
  local port
  for port in $(shuf -i 20000-29000 -n 50); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  return 1
}

# patience is how many seconds a hub may take: far more than it does, for a busy machine.
patience=600

# serves says whether the hub on a port is ready in time.
serves() {
  local end=$((SECONDS + patience))
  until curl -fsS -o /dev/null "http://127.0.0.1:$1/readyz" 2>/dev/null; do
    kill -0 "$2" 2>/dev/null && ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

# connected says whether the demo has added all that it shows.
connected() {
  local end=$((SECONDS + patience))
  until grep -q 'Connected already' "$1"; do
    kill -0 "$2" 2>/dev/null && ((SECONDS < end)) || return 1
    sleep 0.2
  done
  ! grep -q 'add demo services failed' "$1"
}

run() {
  local port log pid
  port=$(free_port)
  log=.cache/quickstart.log
  EVERGRANT_LISTEN=127.0.0.1:$port EVERGRANT_DATA_DIR=$2 setsid make --no-print-directory run DEMO="$1" \
    ARGS="${1:+--first-port=$((port + 1))}" >"$log" 2>&1 &
  pid=$!
  if ! serves "$port" "$pid"; then
    kill -KILL -- "-$pid" 2>/dev/null || true
    cat "$log"
    echo "quickstart: 'make run DEMO=$1' does not serve"
    return 1
  fi
  if [[ -n $1 ]] && ! connected "$log" "$pid"; then
    kill -KILL -- "-$pid" 2>/dev/null || true
    cat "$log"
    echo "quickstart: the demo does not connect its services"
    return 1
  fi
  kill -INT -- "-$pid"
  wait "$pid" || true
  echo "quickstart: 'make run DEMO=$1' serves"
}

trap 'rm -rf .cache/quickstart-data .cache/quickstart-data-demo' EXIT
rm -rf .cache/quickstart-data .cache/quickstart-data-demo
for _ in first second; do
  run "" ./.cache/quickstart-data
  run 1 ./.cache/quickstart-data-demo
done
