#!/usr/bin/env bash
# Stands between go and its compiler (go test -fuzz -toolexec=…/fuzz-compile.sh) and compiles
# SQLite's translated C without the instrumentation of fuzzing: there it takes a third of the
# build, and would guide inputs towards the database's code instead of ours. -gcflags cannot
# say so, as go puts its own flag after those.
set -euo pipefail
tool=$1
shift
if [[ ${tool##*/} == compile && " $* " == *" -p modernc.org/sqlite/lib "* ]]; then
  kept=()
  for arg in "$@"; do [[ $arg == -d=libfuzzer ]] || kept+=("$arg"); done
  set -- "${kept[@]}"
fi
exec "$tool" "$@"
