#!/usr/bin/env bash
# Vendors the third-party stylesheets, scripts and icons of the web hub into
# hub/internal/web/assets/vendor, so that the hub serves everything itself and
# a build needs no network. Run it by `make assets` after changing a version
# below; VENDORED.md in that folder records where each file came from.
set -euo pipefail
cd "$(dirname "$0")/.."

htmx_version=4.0.1
tabler_version=1.6.1
icons_version=3.51.0

# The outline icons that pages use. Add a name here, never a file by hand.
icons=(
  activity adjustments alarm alert-circle alert-triangle apps arrow-back-up arrow-left arrow-right arrows-exchange
  ban bell bolt book braces brand-github brand-google brand-windows building building-store
  calendar calendar-event cash-register certificate check chevron-down chevron-left chevron-right chevron-up
  circle-check circle-dashed circle-x clipboard clipboard-check clock clock-exclamation cloud code copy
  database device-desktop device-mobile dots dots-vertical download external-link eye eye-off
  file-code filter fingerprint heartbeat help help-circle history home hourglass id info-circle
  json key keyboard language layout-dashboard link list lock lock-open login logout
  mail menu-2 minus moon pencil player-pause player-play plug plug-connected plug-connected-x plus puzzle qrcode
  receipt refresh refresh-alert refresh-off rotate rotate-clockwise search send server server-2 server-off settings
  shield-check shield-lock stack-2 sun sun-moon tag terminal-2 ticket trash
  unlink upload user user-check user-plus users webhook world x
)

for tool in npm tar sha256sum; do
  command -v "$tool" >/dev/null || { echo "vendor-assets: $tool is missing; on Debian: apt-get install npm tar coreutils" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# unpack <name@version> <folder> downloads one npm package, without running any
# script of it, and unpacks it into $work/<folder>.
unpack() {
  local archive
  archive=$(cd "$work" && npm pack --silent --ignore-scripts "$1" | tail -n 1)
  mkdir "$work/$2"
  tar -xzf "$work/$archive" -C "$work/$2" --strip-components=1
}

# take <source> <name> copies one file without its source map comment, which
# would make browsers ask the hub for a file that is not there.
take() {
  sed -E 's,/\*# sourceMappingURL=[^*]*\*/,,; s,^//# sourceMappingURL=.*$,,' "$work/$1" >"$out/$2"
}

# refuse_outside <file> stops if a stylesheet would load something from
# elsewhere: the pages' Content-Security-Policy would block it.
refuse_outside() {
  if grep -qE '@import|url\(["'\'']?(https?:)?//' "$out/$1"; then
    echo "vendor-assets: $1 loads from another host; choose a build that does not" >&2
    exit 1
  fi
}

unpack "htmx.org@$htmx_version" htmx
unpack "@tabler/core@$tabler_version" tabler
unpack "@tabler/icons@$icons_version" icons

out=$work/vendor
mkdir -p "$out/icons"
take htmx/dist/htmx.min.js htmx.min.js
take htmx/dist/ext/hx-sse.min.js hx-sse.min.js
take tabler/dist/css/tabler.min.css tabler.min.css
take tabler/dist/js/tabler.min.js tabler.min.js
refuse_outside tabler.min.css
for icon in "${icons[@]}"; do
  source=$work/icons/icons/outline/$icon.svg
  [[ -f $source ]] || { echo "vendor-assets: @tabler/icons $icons_version has no outline icon $icon" >&2; exit 1; }
  cp "$source" "$out/icons/$icon.svg"
done
cp "$work/htmx/LICENSE" "$out/LICENSE.htmx.txt"
cp "$work/icons/LICENSE" "$out/LICENSE.tabler.txt"

# record writes VENDORED.md: what was taken, under which licence, and the
# checksum of every file, so that a change by hand is noticed.
record() {
  cat <<END
# Vendored files

Written by \`scripts/vendor-assets.sh\` (\`make assets\`); do not edit the files of this folder by hand.

| package | version | licence | files |
|---|---|---|---|
| [htmx.org](https://www.npmjs.com/package/htmx.org) | $htmx_version | 0BSD (LICENSE.htmx.txt) | htmx.min.js, hx-sse.min.js |
| [@tabler/core](https://www.npmjs.com/package/@tabler/core) | $tabler_version | MIT (notice in each file) | tabler.min.css, tabler.min.js |
| [@tabler/icons](https://www.npmjs.com/package/@tabler/icons) | $icons_version | MIT (LICENSE.tabler.txt) | icons/*.svg, outline style |

tabler.min.js contains Bootstrap and Popper, both MIT. Source map comments are cut; nothing else is changed.

## SHA-256

\`\`\`
END
  (cd "$out" && LC_ALL=C find . -type f ! -name VENDORED.md -printf '%P\n' | LC_ALL=C sort | xargs sha256sum)
  echo '```'
}
record >"$work/VENDORED.md"
mv "$work/VENDORED.md" "$out/VENDORED.md"

target=hub/internal/web/assets/vendor
mkdir -p "$(dirname "$target")"
rm -rf "$target"
cp -r "$out" "$target"
echo "vendor-assets: htmx $htmx_version, tabler $tabler_version and ${#icons[@]} icons are in $target"
