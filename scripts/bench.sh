#!/usr/bin/env bash
# Runs the benchmarks of the three modules, without any test and without the
# race detector, which would measure itself, and writes their figures and the
# machine's description to docs/benchmarks.md.
#   scripts/bench.sh [argument of go test...]
# With arguments only some benchmarks may run; then nothing is written.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# One package at a time: two at once would measure each other.
export EVERGRANT_POSTGRES_DURABLE=1 # a database that does not wait for its disk flatters
scripts/with-postgres.sh go test -p 1 -run '^$' -bench . -timeout 60m "$@" ./... ./sdk/... ./plugins/... | tee "$out"
if [[ $# -gt 0 ]]; then
  exit 0
fi

# table turns `BenchmarkX-2 1 12.5 unit 3 other` into a row, metrics joined.
table() {
  awk '
    /^pkg: / { pkg = $2; sub("github.com/evergrant/evergrant/", "", pkg) }
    /^Benchmark/ {
      name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name)
      figures = ""
      for (i = 3; i + 1 <= NF; i += 2)
        if (!($(i + 1) == "ns/op" && $i == 0)) figures = figures (figures == "" ? "" : ", ") $i " " $(i + 1)
      printf "| %s | `%s` | %s |\n", name, pkg, figures
    }' "$out"
}

new=$(mktemp)
{
  sed '/<!-- figures -->/q' docs/benchmarks.md
  echo
  echo "$(date -u +%Y-%m-%d), $(nproc) cores of $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)," \
    "$(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo), $(uname -s) $(uname -m)," \
    "$(go env GOVERSION), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)," \
    "PostgreSQL $(ls /usr/lib/postgresql | sort -n | tail -1) on the same cores."
  echo
  echo "| benchmark | package | figures |"
  echo "|---|---|---|"
  table
  echo
  sed -n '/<!-- \/figures -->/,$p' docs/benchmarks.md
} >"$new"
mv "$new" docs/benchmarks.md
chmod 644 docs/benchmarks.md
echo "bench: docs/benchmarks.md holds the figures now"
