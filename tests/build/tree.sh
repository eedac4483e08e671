# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# tree.sh: to be sourced; what belongs to the tree.

# Writes the paths of every file but the licence and the fuzzers' seeds, which are data whose every byte counts. Without
# git, as in an unpacked archive, that is all there is outside the build folder.
tree_files()
{
	cd "$SKIFF_SOURCE"
	{
		git ls-files 2>/dev/null || find . -name .git -prune -o -path ./build -prune -o -type f -print
	} | sed 's|^\./||' | grep -v -e '^LICENSE$' -e '^tests/fuzz/corpus/'
}
