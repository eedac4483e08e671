#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spdx.sh: every file of the tree names its licence in its first lines.
set -eu
. "$SKIFF_SOURCE/tests/build/tree.sh"
cd "$SKIFF_SOURCE"

# named FILE: by the shell itself, as two programs for each file take their time
named()
{
	for _ in 1 2 3 4 5; do
		IFS= read -r line || [ -n "$line" ] || return
		case $line in *SPDX-License-Identifier*) return 0 ;; esac
	done <"$1"
	return 1
}

bare=$(tree_files | while IFS= read -r file; do
	[ ! -f "$file" ] || named "$file" || echo "$file"
done)
if [ -n "$bare" ]; then
	echo "no line 'SPDX-License-Identifier: Apache-2.0' in:"
	echo "$bare"
	exit 1
fi
