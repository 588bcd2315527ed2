#!/usr/bin/env bash
# Prints the folder with prometheus and promtool for the tests of dashboard and
# alerts. Without them on the path, Debian's package is unpacked into bin/: it is not
# installed, so no service starts and nobody has to be root.
# EVERGRANT_TEST_PROMETHEUS names another folder.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/bin/prometheus
if [[ -n ${EVERGRANT_TEST_PROMETHEUS:-} ]]; then
  [[ -x $EVERGRANT_TEST_PROMETHEUS/promtool ]] || { echo "prometheus: there is no promtool in EVERGRANT_TEST_PROMETHEUS=$EVERGRANT_TEST_PROMETHEUS" >&2; exit 1; }
  folder=$EVERGRANT_TEST_PROMETHEUS
elif command -v prometheus promtool >/dev/null; then
  folder=$(dirname "$(command -v promtool)")
elif [[ ! -x $folder/promtool || ! -x $folder/prometheus ]]; then
  command -v apt-get >/dev/null || { echo "prometheus: please install prometheus and promtool by hand" >&2; exit 1; }
  echo "prometheus: unpacking Debian's package into bin/prometheus" >&2
  unpacked=$(mktemp -d)
  trap 'rm -rf "$unpacked"' EXIT
  # apt's own user writes here too.
  chmod 755 "$unpacked"
  fetch() { (cd "$unpacked" && apt-get download --quiet --quiet prometheus </dev/null >&2); }
  if ! fetch 2>/dev/null; then
    sudo=()
    [[ $(id -u) -eq 0 ]] || sudo=(sudo -n)
    "${sudo[@]}" apt-get update --quiet --quiet </dev/null >&2
    fetch
  fi
  dpkg-deb --extract "$unpacked"/prometheus_*.deb "$unpacked/root"
  mkdir -p "$folder"
  find "$unpacked/root" -path '*/bin/*' \( -name prometheus -o -name promtool \) -exec cp {} "$folder/" \;
fi
echo "$folder"
