#!/usr/bin/env bash
# Lists the direct dependencies of each module that are behind what the module proxy has,
# and asks govulncheck for known weaknesses in what is called. Fails for a weakness, and
# with STRICT=1 for anything that is behind.
set -uo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
govulncheck=golang.org/x/vuln/cmd/govulncheck@${GOVULNCHECK:-v1.1.4}
behind=0 weak=0 unseen=0

for module in sdk plugins . tools; do
  mapfile -t direct < <(cd "$module" && go list -m -f '{{if not (or .Main .Indirect .Replace)}}{{.Path}}{{end}}' all 2>/dev/null | sed '/^$/d')
  [[ ${#direct[@]} -gt 0 ]] || continue
  # A proxy that does not know the newest version of one module still tells those of others.
  while read -r line; do
    echo "outdated: $module: $line"
    behind=$((behind + 1))
  done < <(cd "$module" && go list -e -m -u -f '{{if .Update}}{{.Path}} {{.Version}} -> {{.Update.Version}}{{end}}' "${direct[@]}" 2>/dev/null | sed '/^$/d')
done

tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
if GOBIN=$tool GOFLAGS=-mod=mod go install "$govulncheck" 2>"$tool/log"; then
  for module in sdk plugins .; do
    "$tool/govulncheck" -C "$module" ./...
    case $? in
      0) ;;
      3) weak=$((weak + 1)) ;; # it has found something that is called
      *)
        unseen=$((unseen + 1))
        echo "outdated: govulncheck could not look at $module (it needs https://vuln.go.dev)" >&2
        ;;
    esac
  done
else
  unseen=3
  echo "outdated: $govulncheck cannot be installed here: $(tail -1 "$tool/log")" >&2
fi

echo "outdated: $behind behind, $weak modules with known weaknesses, $unseen modules not looked at"
[[ $weak -eq 0 && (${STRICT:-} != 1 || $behind -eq 0) ]]
