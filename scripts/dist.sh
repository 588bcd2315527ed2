#!/usr/bin/env bash
# Makes what is published beside the source into dist/, for linux on amd64 and arm64:
#   evergrant_<version>_linux_<arch>.tar.gz   program, plugins, configurations, unit, licences
#   evergrant_<version>_linux_<arch>.cdx.json the modules in it (CycloneDX)
#   SHA256SUMS                                of all of these
# The binaries are static and hold no path of this machine. DIST_ARCHS="amd64" makes fewer.
set -euo pipefail
cd "$(dirname "$0")/.."

cyclonedx=v1.10.0
version=$(scripts/version.sh)
semantic=$(scripts/version.sh --semantic)
# Two archives of one commit are the same, byte for byte.
when=$(git log -1 --format=%ct 2>/dev/null || date +%s)
archs=${DIST_ARCHS:-amd64 arm64}
flags=(-trimpath -ldflags "-s -w -X main.version=$version -X github.com/evergrant/evergrant/sdk/providerplugin.version=$semantic")

[[ -x bin/cyclonedx-gomod && $(bin/cyclonedx-gomod version) == *"${cyclonedx#v}"* ]] ||
  GOWORK=off GOBIN=$PWD/bin go install "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$cyclonedx"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf dist
mkdir dist

for arch in $archs; do
  name=evergrant_${version}_linux_$arch
  tree=$work/$name
  mkdir -p "$tree/plugins" "$tree/configs" "$tree/systemd"
  export CGO_ENABLED=0 GOOS=linux GOARCH=$arch
  go build "${flags[@]}" -o "$tree/evergrant" ./cmd/evergrant
  for main in plugins/*/main.go; do
    plugin=$(basename "$(dirname "$main")")
    go build "${flags[@]}" -o "$tree/plugins/evergrant-provider-$plugin" "./plugins/$plugin"
  done
  cp LICENSE NOTICE README.md README.ru.md CHANGELOG.md "$tree"
  cp -r configs/. "$tree/configs"
  cp packaging/systemd/* "$tree/systemd"
  bin/cyclonedx-gomod bin -json -noserial -output "dist/$name.cdx.json" -version "$version" "$tree/evergrant" 2>/dev/null
  chmod -R u=rwX,go=rX "$tree"
  tar --create --sort=name --format=gnu --mtime="@$when" --owner=0 --group=0 --numeric-owner -C "$work" "$name" | gzip --no-name >"dist/$name.tar.gz"
done

(cd dist && sha256sum -- * >SHA256SUMS)
echo "dist: $(cd dist && printf '%s ' *)"
