#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A signal to the lab goes to the command, which may still use the broker; then the lab ends with the command's status.
. "$(dirname "$0")/lab_common.sh"

mkfifo "$work/up" "$work/hold"
exec 5<>"$work/up"
"$skiff" lab --base 0 -- bash -c '
	trap "(exec 4<>/dev/tcp/${SKIFF_LAB_URL_1883#mqtt://}) 2>/dev/null; exit 9" TERM
	exec 3<>"$1/hold"
	echo ${SKIFF_LAB_URL_1883##*:} >"$1/up"
	while :; do read -r -t 60 _ <&3; done' bash "$work" 2>"$work/stderr" &
lab=$!
read -r -t 20 port <&5 || fail "the command does not come up: $(cat "$work/stderr")"
kill -TERM "$lab"
wait "$lab"
status=$?
lab=
[ $status = 9 ] || fail "status $status, not 9: $(cat "$work/stderr")"
closed "$port" || fail "port $port is still open"
[ ! -s "$work/stderr" ] || fail "says $(cat "$work/stderr")"
