#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff lab -- COMMAND` runs it with the lab up and the variables set, says nothing itself, exits with its status, and
# leaves neither broker nor folder.
. "$(dirname "$0")/lab_common.sh"

out=$("$skiff" lab --base 0 -- sh -c 'echo "$SKIFF_LAB_DIR ${SKIFF_LAB_URL_1883##*:}" "$@"; exit 7' sh one 'two three' --base 2>&1)
[ $? = 7 ] || fail "status is not the command's: $out"
read -r dir port words <<<"$out"
[ "$words" = "one two three --base" ] || fail "stdout is not the command's: $out"
[ ! -e "$dir" ] || fail "'$dir' is still there"
closed "$port" || fail "port $port is still open"

"$skiff" lab --base 0 -- sh -c 'kill -KILL $$'
[ $? = 137 ] || fail "a command that was killed does not give 137"
"$skiff" lab --base 0 -- "$work/missing" 2>/dev/null
[ $? = 127 ] || fail "a command that is missing does not give 127"

"$skiff" lab --base 0 -- sh -c '
	for file in "$SKIFF_LAB_DIR" "$SKIFF_LAB_CA" "$SKIFF_LAB_WEB_CA" "$SKIFF_LAB_CERT" "$SKIFF_LAB_KEY"; do
		test -s "$file" || exit
	done
	test -S "${SKIFF_LAB_UNIX#unix://}"' || fail "a variable names what is not there"
[ -z "$(ls "$work")" ] || fail "left behind: $(ls "$work")"
