#!/usr/bin/env bash
# Makes an image of the hub without a daemon: an OCI layout in dist/image-<arch>.tar, which
# podman, skopeo, docker (from 25 on) and registries take, and its root filesystem in
# dist/rootfs-<arch>. It holds the static program, the plugins, the certificates of
# authorities and nothing else: no shell, no package manager.
#   scripts/image.sh [arch]   amd64 or arm64; the machine's own if none is named
set -euo pipefail
cd "$(dirname "$0")/.."

arch=${1:-$(go env GOHOSTARCH)}
version=$(scripts/version.sh)
semantic=$(scripts/version.sh --semantic)
when=$(git log -1 --format=%ct 2>/dev/null || date +%s)
certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
[[ -s $certificates ]] || { echo "image: $certificates is not there; name the certificates of authorities by SSL_CERT_FILE" >&2; exit 1; }

root=dist/rootfs-$arch
rm -rf "$root"
mkdir -p "$root"/{usr/local/bin/plugins,etc/evergrant,etc/ssl/certs,var/lib/evergrant,run/evergrant,tmp,proc,dev,licenses}
export CGO_ENABLED=0 GOOS=linux GOARCH=$arch
flags=(-trimpath -ldflags "-s -w -X main.version=$version -X github.com/evergrant/evergrant/sdk/providerplugin.version=$semantic")
go build "${flags[@]}" -o "$root/usr/local/bin/evergrant" ./cmd/evergrant
for main in plugins/*/main.go; do
  plugin=$(basename "$(dirname "$main")")
  go build "${flags[@]}" -o "$root/usr/local/bin/plugins/evergrant-provider-$plugin" "./plugins/$plugin"
done
cp "$certificates" "$root/etc/ssl/certs/ca-certificates.crt"
cp LICENSE NOTICE "$root/licenses"
printf 'root:x:0:0::/:/sbin/nologin\nevergrant:x:65532:65532::/var/lib/evergrant:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nevergrant:x:65532:\n' >"$root/etc/group"
cp packaging/image/evergrant.yaml "$root/etc/evergrant/evergrant.yaml"
chmod -R u=rwX,go=rX "$root"
chmod 0700 "$root/var/lib/evergrant" "$root/run/evergrant"
chmod 1777 "$root/tmp"

env -u GOOS -u GOARCH go run ./scripts/image -root "$root" -out "dist/image-$arch.tar" -arch "$arch" -version "$version" -created "$when"
