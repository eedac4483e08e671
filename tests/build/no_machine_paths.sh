#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# no_machine_paths.sh: no file of the tree names a folder that only one machine has.
set -eu
. "$SKIFF_SOURCE/tests/build/tree.sh"
cd "$SKIFF_SOURCE"
places='(work|home|root|Users|mnt|media)'
found=$(tree_files | tr '\n' '\0' | xargs -0 grep -snIEH "(^|[^A-Za-z0-9_.}*/-])/$places/[A-Za-z0-9_.-]" || true)
if [ -n "$found" ]; then
	echo "a folder of one machine is named here:"
	echo "$found"
	exit 1
fi
