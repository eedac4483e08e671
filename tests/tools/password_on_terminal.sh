#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --pw-ask reads the password from the terminal without showing it, and leaves the terminal as it was, also when
# interrupted.
. "$(dirname "$0")/common.sh"

script -qec true /dev/null >/dev/null 2>&1 </dev/null || skip "no terminal can be made here with script(1)"
mosquitto_passwd -c -b "$work/passwords" me c4n4ry 2>/dev/null || skip "mosquitto_passwd is not installed"
chmod 644 "$work/passwords"
start_broker "listener PORT 127.0.0.1" "password_file $work/passwords"

# on_terminal INPUT: asks, answers INPUT once asked; the session is in $work/typescript
on_terminal()
{
	rm -f "$work/typescript" "$work/keys"
	mkfifo "$work/keys"
	exec 9<>"$work/keys"
	script -qefc "'$SKIFF' pub -b $url -u me --pw-ask -t a -m x; echo code \$?; stty -a | grep -o -e '-*echo '" \
		"$work/typescript" <"$work/keys" >/dev/null 2>&1 9>&- &
	local session=$!
	children+=("$session")
	await "the question" grep -q "Password: " "$work/typescript"
	printf "$1" >&9
	await "the end" grep -q "^code" "$work/typescript"
	exec 9>&-
	wait "$session"
}
on_terminal 'c4n4ry\n'
grep -q "^code 0" "$work/typescript" || fail "it ended with $(cat "$work/typescript")"
! grep -q c4n4ry "$work/typescript" || fail "the password was shown"
on_terminal 'wrong\n'
grep -q "^code 16" "$work/typescript" || fail "it ended with $(cat "$work/typescript")"
on_terminal '\003'
grep -q "^code 130" "$work/typescript" || fail "it ended with $(cat "$work/typescript")"
! grep -q -e "^-echo" "$work/typescript" || fail "the terminal stays without echo"
