#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spdx.sh: every file of the tree names its licence in its first lines.
set -eu
. "$SKIFF_SOURCE/tests/build/tree.sh"
cd "$SKIFF_SOURCE"
bare=$(tree_files | while read -r file; do
	[ ! -f "$file" ] || head -n 5 "$file" | grep -q 'SPDX-License-Identifier' || echo "$file"
done)
if [ -n "$bare" ]; then
	echo "no line 'SPDX-License-Identifier: Apache-2.0' in:"
	echo "$bare"
	exit 1
fi
