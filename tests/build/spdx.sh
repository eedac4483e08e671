#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spdx.sh: every file of the tree names its licence in its first lines. Not asked: the licence itself, and data whose
# every byte counts.
set -eu
cd "$SKIFF_SOURCE"
[ -e .git ] && command -v git >/dev/null || { echo "not a git checkout, so what belongs to the tree is unknown"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -- . ':!LICENSE' ':!tests/fuzz/corpus/*' >"$work/files"
[ -s "$work/files" ] || { echo "git lists no file"; exit 1; }
failed=0
while read -r file; do
	[ -f "$file" ] || continue
	if ! head -n 5 "$file" | grep -q 'SPDX-License-Identifier'; then
		echo "'$file' has no line 'SPDX-License-Identifier: Apache-2.0'"
		failed=1
	fi
done <"$work/files"
exit $failed
