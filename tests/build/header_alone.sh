#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# header_alone.sh: each public header compiles alone, without a warning, as C99, C11 and C++.
set -eu
failed=0

# alone COMPILER LANGUAGE STANDARD HEADER
alone()
{
	if ! printf '#include <skiff/%s>\n#include <skiff/%s>\n' "$4" "$4" | "$1" -x "$2" "-std=$3" -pedantic -Wall -Wextra \
		-Werror -fsyntax-only -I "$SKIFF_SOURCE/lib/include" -I "$SKIFF_BUILD/include" -; then
		echo "<skiff/$4> does not compile alone as $3"
		failed=1
	fi
}

cxx=
for candidate in g++ clang++ c++; do
	if command -v $candidate >/dev/null && echo '#include <string.h>' | $candidate -x c++ -fsyntax-only - 2>/dev/null; then
		cxx=$candidate
		break
	fi
done
[ -n "$cxx" ] || echo "not tried as C++: neither g++ nor clang++ works here"

for path in "$SKIFF_SOURCE"/lib/include/skiff/*.h "$SKIFF_BUILD"/include/skiff/version.h; do
	header=$(basename "$path")
	alone "$CC" c c99 "$header"
	alone "$CC" c c11 "$header"
	[ -z "$cxx" ] || alone $cxx c++ c++11 "$header"
done
exit $failed
