#!/usr/bin/env bash
# Starts the root filesystem of the image as an engine does, without one: a root that cannot
# be written, a user without any right, folders in memory where the hub writes; and looks
# whether it serves, has its plugins, and stops when it is asked to. Needs root or a system
# that lets anybody make name spaces of users.
set -euo pipefail
cd "$(dirname "$0")/.."

give_up() {
  echo "image-check: $1" >&2
  exit 1
}

arch=$(go env GOHOSTARCH)
root=$PWD/dist/rootfs-$arch
[[ -x $root/usr/local/bin/evergrant ]] || give_up "there is no $root; make image makes it"
if [[ ${1:-} == --inside ]]; then
  # The mounts below end with this name space.
  mount --bind "$root" "$root"
  mount -t tmpfs -o mode=1777,noexec,nosuid,nodev tmpfs "$root/tmp"
  mount -t tmpfs -o "mode=0700,uid=65532,gid=65532,nosuid,nodev" tmpfs "$root/run/evergrant"
  mount -t tmpfs -o "mode=0700,uid=65532,gid=65532,nosuid,nodev" tmpfs "$root/var/lib/evergrant"
  mount -t tmpfs -o mode=0755,nosuid tmpfs "$root/dev"
  for device in null zero random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
  mount -o remount,bind,ro "$root"
  ! touch "$root/etc/written" 2>/dev/null || give_up "the root can be written"
  exec setpriv --no-new-privs \
    chroot --userspec=65532:65532 "$root" /usr/local/bin/evergrant serve
fi

log=$(mktemp)
trap 'rm -f "$log"; [[ -z ${hub:-} ]] || kill "$hub" 2>/dev/null || true' EXIT
port=$((20000 + RANDOM % 20000))
address=http://127.0.0.1:$port
env -i PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH" HOME=/ GOCACHE="$(go env GOCACHE)" EVERGRANT_CONFIG=/etc/evergrant/evergrant.yaml EVERGRANT_LISTEN="127.0.0.1:$port" EVERGRANT_PUBLIC_URL="http://localhost:$port" \
  unshare --mount scripts/image-check.sh --inside >"$log" 2>&1 &
hub=$!

for _ in $(seq 300); do
  curl --silent --fail --output /dev/null "$address/readyz" && break
  kill -0 "$hub" 2>/dev/null || { cat "$log" >&2; hub=; give_up "it did not start"; }
  sleep 0.2
done
curl --silent --fail --output /dev/null "$address/healthz" || { cat "$log" >&2; give_up "/healthz does not answer"; }
curl --silent --fail "$address/login" | grep -q '<form' || give_up "the page to log in does not come"
uid=$(awk '/^Uid:/ {print $2}' "/proc/$hub/status")
[[ $uid == 65532 ]] || give_up "it runs as user $uid"
[[ $(awk '/^CapEff:|^CapPrm:/ {print $2}' "/proc/$hub/status" | sort -u) == 0000000000000000 ]] || give_up "it has capabilities"
kill -TERM "$hub"
status=0
wait "$hub" || status=$?
hub=
[[ $status -eq 0 ]] || { cat "$log" >&2; give_up "it ended with $status when it was asked to stop"; }
grep -q '"stopped"\|stopped' "$log" || give_up "it did not stop by itself"
echo "image-check: serves as user 65532 without capabilities on a root that cannot be written, and stops"
