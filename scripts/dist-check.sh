#!/usr/bin/env bash
# Looks at what scripts/dist.sh made in dist/: the sums hold, the binaries are static, of the
# processor that they are named for and say their version, nothing is missing, and the SBOM
# names the modules that are linked.
set -euo pipefail
cd "$(dirname "$0")/.."

give_up() {
  echo "dist-check: $1" >&2
  exit 1
}

(cd dist && sha256sum --check --quiet SHA256SUMS)
version=$(scripts/version.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shopt -s nullglob
archives=(dist/*.tar.gz)
[[ ${#archives[@]} -gt 0 ]] || give_up "dist/ has no archive; make dist makes them"

for archive in "${archives[@]}"; do
  name=$(basename "$archive" .tar.gz) arch=${archive##*_linux_}
  arch=${arch%.tar.gz}
  tar -xzf "$archive" -C "$work"
  [[ $name == "evergrant_${version}_linux_$arch" ]] || give_up "$archive is of another version than $version"
  for binary in "$work/$name/evergrant" "$work/$name"/plugins/*; do
    info=$(go version -m "$binary")
    grep -q "GOARCH=$arch" <<<"$info" || give_up "$binary is not for $arch"
    grep -q "CGO_ENABLED=0" <<<"$info" || give_up "$binary is linked with C"
    grep -q -- "-trimpath=true" <<<"$info" || give_up "$binary holds paths of the machine that built it"
  done
  for plugin in plugins/*/main.go; do
    [[ -x $work/$name/plugins/evergrant-provider-$(basename "$(dirname "$plugin")") ]] || give_up "$archive lacks the plugin of $plugin"
  done
  for file in LICENSE NOTICE configs/evergrant.yaml configs/evergrant.full.yaml systemd/evergrant.service; do
    [[ -s $work/$name/$file ]] || give_up "$archive lacks $file"
  done
  linked=$(go version -m "$work/$name/evergrant" | grep -c '^	dep	')
  named=$(grep -o '"purl": "pkg:golang/' "dist/$name.cdx.json" | wc -l)
  ((named >= linked)) || give_up "the SBOM of $name names $named modules, and $linked are linked"
  if [[ $arch == "$(go env GOHOSTARCH)" ]]; then
    said=$("$work/$name/evergrant" --version)
    [[ $said == "evergrant $version" ]] || give_up "the program says \"$said\", not $version"
  fi
  echo "dist-check: $name holds $linked modules, the SBOM names $named"
done
