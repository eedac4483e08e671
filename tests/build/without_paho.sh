#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# without_paho.sh: -DSKIFF_PAHO=OFF builds, installs and works without Paho in it, and a request for the engine paho is
# refused in one sentence; the help says that it is left out.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset SKIFF_ENGINE
fail()
{
	echo "$*"
	exit 1
}

{
	cmake -S "$SKIFF_SOURCE" -B "$work/build" -G Ninja -DCMAKE_C_COMPILER="$CC" -DCMAKE_BUILD_TYPE=Debug \
		-DSKIFF_WERROR=ON -DSKIFF_TESTS=OFF -DSKIFF_LTO=OFF -DSKIFF_PAHO=OFF &&
		cmake --build "$work/build" -j 2 && cmake --install "$work/build" --prefix "$work/stage"
} >"$work/log" 2>&1 || {
	cat "$work/log"
	exit 1
}
skiff=$work/stage/bin/skiff
library=$(find "$work/stage" -name 'libskiff.so')
[ -n "$library" ] || fail "no shared library was installed"
for file in "$library" "$skiff"; do
	! readelf -d "$file" | grep -qi 'NEEDED.*paho' || fail "$file needs Paho"
done
! grep -qi paho "$(find "$work/stage" -name skiff.pc)" || fail "skiff.pc has Paho linked"

# refused COMMAND...: exit code 2, and the sentence alone
refused()
{
	code=0
	said=$("$@" 2>&1) || code=$?
	[ "$code" = 2 ] || fail "$*: exit code $code, not 2: $said"
	case $said in
	*"the engine 'paho' is not built in"*"choose native") ;;
	*) fail "$*: it says '$said'" ;;
	esac
}
refused "$skiff" pub --engine paho -t a -m x
refused "$skiff" sub --engine paho -t a
refused env SKIFF_ENGINE=paho "$skiff" pub -t a -m x
code=0
said=$(SKIFF_ENGINE=paho "$work/build/bin/hello" mqtt://127.0.0.1:1 2>&1) || code=$?
[ "$code:$said" = "1:hello: the engine 'paho' is not built into this library (SKIFF_PAHO was off); choose native" ] ||
	fail "hello: $code, '$said'"

"$skiff" help engines >"$work/help"
grep -q '^  native .*; built in$' "$work/help" || fail "help: native is not listed as built in"
grep -q '^  paho .*; not built in (SKIFF_PAHO was off)$' "$work/help" || fail "help: paho is not listed as left out"
