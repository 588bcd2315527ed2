#!/usr/bin/env bash
# Prepares the release of the three modules:
#   scripts/release.sh v1.2.3
# It makes one commit beside the branch, in which the modules require each other at that
# version and nothing is replaced, and the tags sdk/v1.2.3, plugins/v1.2.3 and v1.2.3 on it.
# Nothing is pushed, and the branch stays as it is. See docs/releasing.md.
set -euo pipefail
cd "$(dirname "$0")/.."

give_up() {
  echo "release: $1" >&2
  exit 1
}

version=${1:-}
[[ $version =~ ^v[01]\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
  give_up "name the version, like v1.2.3 or v1.2.3-rc.1; from v2 on the modules need other paths"
[[ -z $(git status --porcelain) ]] || give_up "something is not committed; commit it or put it aside"
grep -Eq "^## \[?${version#v}\]? - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md ||
  give_up "CHANGELOG.md has no section \"## ${version#v} - $(date +%F)\"; name what is in Unreleased so, and begin a new one"
tags=("sdk/$version" "plugins/$version" "$version")
for tag in "${tags[@]}"; do
  git rev-parse --quiet --verify "refs/tags/$tag" >/dev/null && give_up "there is a tag $tag already; a released version never changes"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/release" ./scripts/release
# A clone and no worktree: modules are packed from a whole repository only.
here=$PWD
git clone --quiet --shared --no-tags . "$work/tree"
for key in user.name user.email user.signingkey gpg.format commit.gpgsign tag.gpgsign; do
  value=$(git config "$key") && git -C "$work/tree" config "$key" "$value"
done
cd "$work/tree"

"$work/release" edit "$version"
git commit --quiet --all --message "Release $version" --message "The modules require each other at this version; nothing is replaced or excluded."
# The sum of a module covers its go.sum with the sums of those it requires, so this is done
# until nothing changes any more: three times.
for _ in 1 2 3 4 5; do
  "$work/release" sums "$version" HEAD
  git diff --quiet && break
  git commit --quiet --all --amend --no-edit
done
git diff --quiet || give_up "the checksums of the modules do not come to rest"
for tag in "${tags[@]}"; do
  git tag --annotate --message "Evergrant $version" "$tag"
done
cd "$here"
for tag in "${tags[@]}"; do
  git fetch --quiet --no-tags "$work/tree" "refs/tags/$tag:refs/tags/$tag"
done
echo "release: $(git rev-parse --short "$version^{commit}") is tagged ${tags[*]}"
echo "release: look at it with git show $version, then publish it: git push origin ${tags[*]}"
