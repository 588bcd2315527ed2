#!/usr/bin/env bash
# Runs a command with a throw-away PostgreSQL beside it:
#   scripts/with-postgres.sh <command> [argument...]
# The command finds the server's address in EVERGRANT_TEST_POSTGRES. The server
# listens on a Unix socket in a folder of its own, so that it meets no other
# one, and is stopped and deleted whatever becomes of the command, whose exit
# code is passed on. If EVERGRANT_TEST_POSTGRES is set already, that server is
# used and nothing is started. With EVERGRANT_POSTGRES_DURABLE=1 its writes wait for
# the disk, as in production: benchmarks are run so.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ -n ${EVERGRANT_TEST_POSTGRES:-} ]]; then
  exec "$@"
fi

# find_bindir prints the folder of the newest initdb and postgres.
find_bindir() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $newest ]] || newest=$(command -v initdb) || return 1
  dirname "$(readlink -f "$newest")"
}

if ! bindir=$(find_bindir); then
  scripts/install-packages.sh postgresql
  bindir=$(find_bindir)
fi

# initdb and postgres refuse to run as root; the packaged account takes over.
as_server=()
if [[ $(id -u) -eq 0 ]]; then
  account=postgres
  id "$account" >/dev/null 2>&1 || account=nobody
  as_server=(runuser -u "$account" --)
fi

# A socket's path may have 107 bytes, so TMPDIR is not asked.
home=$(mktemp -d /tmp/evergrant-postgres.XXXXXX)
log=$home/server.log

cleanup() {
  local code=$?
  trap - EXIT INT TERM HUP
  # The data is thrown away, so there is nothing to write out.
  (cd "$home" && "${as_server[@]}" "$bindir/pg_ctl" stop --pgdata="$home/data" --mode=immediate --silent) >/dev/null 2>&1 || true
  rm -rf "$home"
  exit "$code"
}
trap cleanup EXIT

start() {
  [[ ${#as_server[@]} -eq 0 ]] || chown "$account" "$home"
  cd "$home"
  "${as_server[@]}" "$bindir/initdb" --pgdata="$home/data" --username=evergrant --auth=trust \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$log" 2>&1
  # Nothing here has to outlive the machine, so no write waits for the disk.
  local speed="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
  [[ -z ${EVERGRANT_POSTGRES_DURABLE:-} ]] || speed=""
  "${as_server[@]}" "$bindir/pg_ctl" start --pgdata="$home/data" --log="$home/postgres.log" --wait --silent \
    --options="-c listen_addresses='' -c unix_socket_directories='$home' $speed \
      -c max_connections=200" >>"$log" 2>&1
}

if ! (start); then
  echo "with-postgres: PostgreSQL of $bindir did not start:" >&2
  cat "$log" "$home/postgres.log" >&2 2>/dev/null || true
  exit 1
fi

export EVERGRANT_TEST_POSTGRES="postgres://evergrant@/postgres?host=$home&sslmode=disable"

# The command gets a process group of its own, so that a signal reaches all that
# it started, and this script stays awake to stop the server afterwards.
set -m
"$@" &
command=$!
set +m
forward() {
  kill "-$1" -- "-$command" 2>/dev/null || true
  wait "$command" || true
  exit "$2"
}
trap 'forward INT 130' INT
trap 'forward TERM 143' TERM HUP
wait "$command"
