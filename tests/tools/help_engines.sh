#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff help engines` says which engines there are, how one is chosen, and of each capability who has it; and what it
# says of an engine is how that engine behaves. The manual page skiff(1) has the same table.
. "$(dirname "$0")/common.sh"
header=$(dirname "$0")/../../lib/include/skiff/engine.h

run "$SKIFF" help engines
expect 0
[ -z "$err" ] || fail "it says '$err'"
for word in --engine SKIFF_ENGINE "'engine' of struct skiff_options"; do
	[[ $(tr -s '\n ' ' ' <"$work/out") = *"$word"* ]] || fail "it does not tell of $word"
done
grep -Eq '^  native +skiff [0-9.]+; built in$' "$work/out" || fail "native is not listed as built in"
grep -Eq '^  paho +Eclipse Paho MQTT C.*; (not )?built in' "$work/out" || fail "paho is not listed"
[ "$(wc -L <"$work/out")" -le 100 ] || fail "it has lines of more than 100 columns"
! grep -q ' $' "$work/out" || fail "it has blanks at the end of lines"

# A row for each capability of the public list.
table() { sed -n '/^native  paho  what$/,$p' "$work/out"; }
wanted=$(grep -c '^	X([A-Z]' "$header")
[ "$wanted" -ge 20 ] || fail "engine.h lists $wanted capabilities only"
rows=$(table | grep -Ec '^(yes|-  )     (yes|-  )   [^ ]')
[ "$rows" = "$wanted" ] || fail "the table has $rows rows for $wanted capabilities"

# can ENGINE TEXT: whether the table says so.
can()
{
	table | awk -v engine="$1" -v text="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == engine) column = i }
		index($0, text) { found = $column }
		END { exit found != "yes" }'
}
can native "unix://" && can native "(tls.server_name)" && can native "tcp://" || fail "native cannot do what it can"
! can paho "unix://" && ! can paho "(tls.server_name)" && can paho "tcp://" || fail "paho can do what it cannot"

"$SKIFF" help --man >"$work/man"
[ "$(sed -n '/^native  paho  what$/,/^\.fi$/p' "$work/man" | grep -v '^\.fi')" = "$(table)" ] ||
	fail "the manual page has another table"
if command -v groff >/dev/null; then
	groff -man -Tascii -ww "$work/man" >/dev/null 2>"$work/err" && [ ! -s "$work/err" ] || fail "groff complains"
fi
"$SKIFF" help | grep -q "^  help engines " || fail "'skiff help' does not name it"
run "$SKIFF" help engine
expect 2 "did you mean 'engines'"
run "$SKIFF" help --man engines
expect 2 "it is in skiff(1)"
for command in pub sub; do
	"$SKIFF" help "$command" | tr -s '\n ' ' ' | grep -q "native or paho ('skiff help engines')" ||
		fail "'skiff help $command' does not lead there"
done
