#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# consumer.sh: a staged install serves a five-line program, found by CMake and by pkg-config, shared and static, with each
# engine that is built in; and the installed command runs from there, with a script for each shell.
set -eu
source=$SKIFF_SOURCE/tests/build/consumer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^#define SKIFF_VERSION "\(.*\)"$/\1/p' "$SKIFF_BUILD/include/skiff/version.h")
cmake --install "$SKIFF_BUILD" --prefix "$work/first" >/dev/null
# Moved as a whole it still has to serve, so nothing in it may name where it was installed.
mv "$work/first" "$work/stage"
PKG_CONFIG_PATH=$(dirname "$(find "$work/stage" -name skiff.pc)")
libdir=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH

engines=$("$work/stage/bin/skiff" help engines | sed -n 's/^  \([a-z]*\) .*; built in$/\1/p')
[ -n "$engines" ] || { echo "the installed command names no engine"; exit 1; }

# runs NAME PROGRAM: it creates a client, of each engine, and prints the version that was built.
runs()
{
	for engine in $engines; do
		said=$(SKIFF_ENGINE=$engine "$2") || { echo "$1, $engine: the program failed, saying '$said'"; exit 1; }
		[ "$said" = "$version" ] || { echo "$1, $engine: it said '$said', not '$version'"; exit 1; }
		echo "$1, $engine: ok"
	done
}

cmake -S "$source" -B "$work/cmake" -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_PREFIX_PATH="$work/stage" >"$work/log" &&
	cmake --build "$work/cmake" >>"$work/log" || { cat "$work/log"; exit 1; }
runs "CMake, shared" "$work/cmake/consumer"
runs "CMake, static" "$work/cmake/consumer_static"

# shellcheck disable=SC2046
"$CC" -o "$work/shared" "$source/consumer.c" $(pkg-config --cflags --libs skiff)
LD_LIBRARY_PATH=$libdir runs "pkg-config, shared" "$work/shared"

"$work/stage/bin/skiff" --version | grep -q -F "$version" || { echo "the installed command does not run"; exit 1; }

for script in bash-completion/completions/skiff zsh/site-functions/_skiff fish/vendor_completions.d/skiff.fish; do
	[ -s "$work/stage/share/$script" ] || { echo "share/$script is not installed"; exit 1; }
done

# Without the shared library beside it, -lskiff is the archive.
rm "$libdir"/libskiff.so*
# shellcheck disable=SC2046
"$CC" -o "$work/static" "$source/consumer.c" $(pkg-config --static --cflags --libs skiff)
runs "pkg-config, static" "$work/static"
