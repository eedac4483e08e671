#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# On a terminal control characters of strangers are escaped and topics coloured, unless --raw, NO_COLOR or a dumb terminal
# say otherwise; into a pipe goes what came.
. "$(dirname "$0")/common.sh"

script -qec true /dev/null >/dev/null 2>&1 </dev/null || skip "no terminal can be made here with script(1)"
start_broker
run "$SKIFF" pub -b "$url" -t a -r -m $'\033[2Jevil\007 \302\233'
expect 0

# on_terminal VARIABLE... -- OPTION...: what sub printed there is in $work/typescript
on_terminal()
{
	local variables=()
	while [ "$1" != -- ]; do
		variables+=("$1")
		shift
	done
	shift
	env TERM=xterm ${variables[@]+"${variables[@]}"} script -qefc "'$SKIFF' sub -b $url -t a -C 1 -W 10 $*" "$work/typescript" \
		</dev/null >/dev/null 2>&1
}
shows() { grep -qF -- "$1" "$work/typescript" || fail "no '$1' in $(od -c "$work/typescript")"; }
hides() { ! grep -qF -- "$1" "$work/typescript" || fail "'$1' in $(od -c "$work/typescript")"; }
on_terminal -- -v
shows '\x1b[2Jevil\x07 \xc2\x9b'
hides $'\033[2J'
shows $'\033[36ma\033[0m '
on_terminal NO_COLOR=1 -- -v
hides $'\033[36m'
shows 'a \x1b[2Jevil'
on_terminal TERM=dumb -- -v
hides $'\033[36m'
on_terminal -- -v --raw
shows $'\033[2Jevil\007'

run "$SKIFF" sub -b "$url" -t a -C 1 -W 10 -v
[ "$out" = $'a \033[2Jevil\007 \302\233' ] || fail "a pipe gets '$out'"
