#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols.sh: libskiff.so exports what lib/skiff.sym lists and nothing else, and says which binary interface it has.
set -eu
command -v nm >/dev/null || { echo "nm is absent"; exit 77; }
library=$SKIFF_BUILD/lib/libskiff.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n 's/^[[:space:]]*\(skiff_[a-z0-9_]*\);$/\1/p' "$SKIFF_SOURCE/lib/skiff.sym" | sort >"$work/listed"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
[ -s "$work/listed" ] || { echo "lib/skiff.sym lists nothing"; exit 1; }
if ! diff "$work/listed" "$work/exported"; then
	echo "'<' is listed in lib/skiff.sym and not exported; '>' is exported and not listed"
	exit 1
fi
soname=$(objdump -p "$library" | awk '$1 == "SONAME" { print $2 }')
case $soname in
libskiff.so.[0-9]*) ;;
*) echo "the library's SONAME is '$soname'"; exit 1 ;;
esac
