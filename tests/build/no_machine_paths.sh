#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# no_machine_paths.sh: no file of the tree names a folder that only one machine has.
set -eu
cd "$SKIFF_SOURCE"
[ -e .git ] && command -v git >/dev/null || { echo "not a git checkout, so what belongs to the tree is unknown"; exit 77; }
places='(work|home|root|Users|mnt|media)'
# 1: nothing was found, which is what we want; above: grep itself failed.
status=0
git grep -nIE "(^|[^A-Za-z0-9_.}*/-])/$places/[A-Za-z0-9_.-]" -- . ':!LICENSE' || status=$?
case $status in
0) echo "the lines above name a folder of one machine"; exit 1 ;;
1) ;;
*) exit "$status" ;;
esac
