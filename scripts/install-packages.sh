#!/usr/bin/env bash
# Installs Debian packages that the tests need, as root or through sudo:
#   scripts/install-packages.sh <package>...
# Everywhere else it says what to install and fails. Package lists are only
# refreshed when the ones at hand do not do.
set -euo pipefail

give_up() {
  echo "install-packages: $1" >&2
  echo "install-packages: please install by hand: $packages" >&2
  exit 1
}

packages="$*"
command -v apt-get >/dev/null || give_up "this machine has no apt-get"

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || give_up "you are not root and there is no sudo"
  as_root=(sudo)
  # Without a terminal nobody can type a password, so sudo may not ask.
  [[ -t 0 ]] || as_root=(sudo -n)
fi

# install is quiet unless it fails; standard error keeps the reason.
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --quiet --no-install-recommends "$@" </dev/null >&2
}

echo "install-packages: installing $packages" >&2
if ! install "$@" 2>/dev/null; then
  "${as_root[@]}" apt-get update --quiet --quiet </dev/null >&2 || give_up "apt-get update failed"
  install "$@" || give_up "apt-get could not install them"
fi
