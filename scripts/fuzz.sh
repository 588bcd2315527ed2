#!/usr/bin/env bash
# Runs every fuzz target of the three modules for FUZZTIME each (default 1m), as many side by
# side as there are cores; the output of each is printed whole when it ends. What is found is
# kept in the package's testdata/fuzz, as go test does it, and fails the script at its end.
# FUZZ chooses targets by a regular expression, PARALLEL is how many workers each has
# (default 1), JOBS how many targets run at one time.
set -uo pipefail
cd "$(dirname "$0")/.."
time=${FUZZTIME:-1m}
choose=${FUZZ:-.}
parallel=${PARALLEL:-1}
jobs=${JOBS:-$(nproc)}
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT

# SQLite's translated C is not instrumented: see the script.
compile=$PWD/scripts/fuzz-compile.sh

# ended says whether a target failed for nothing but the end of its time: go test reports it
# so when a worker is in the middle of an input then.
ended() {
  grep -qE '^ +context deadline exceeded$' "$1" && ! grep -qE 'Failing input written|panic:|fuzzing process' "$1"
}

# one runs a target and leaves a file beside its output if something was found.
one() {
  local folder=$1 target=$2 out=$said/$3
  echo "--- $folder $target, $time" >"$out"
  if ! go test "./$folder" -toolexec "$compile" -run "^$target\$" -fuzz "^$target\$" -fuzztime "$time" -parallel "$parallel" -timeout 0 </dev/null >>"$out" 2>&1 &&
    ! ended "$out"; then
    touch "$out.found"
    echo "found: $folder $target" >>"$out"
  fi
  cat "$out"
}

# The targets are found by their source, for listing those of a package would build it.
targets=0
while IFS=: read -r path func; do
  target=${func#func }
  [[ $target =~ $choose ]] || continue
  while (($(jobs -rp | wc -l) >= jobs)); do wait -n; done
  targets=$((targets + 1))
  one "$(dirname "$path")" "$target" "$targets" &
done < <(grep -rHoE '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' cmd hub sdk plugins scripts | sort)
wait

findings=$(find "$said" -name '*.found' | wc -l)
echo "fuzz: $targets targets, $findings findings"
[[ $findings -eq 0 && $targets -gt 0 ]]
