#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SIGINT and SIGTERM end the lab with status 0; broker and temporary folder are gone by then.
. "$(dirname "$0")/lab_common.sh"

set -m # or the shell has a background process ignore SIGINT
for signal in INT TERM HUP; do
	lab_up
	[ -d "$dir" ] || fail "there is no '$dir'"
	kill -$signal "$lab"
	wait "$lab"
	status=$?
	lab=
	[ $status = 0 ] || fail "SIG$signal: status $status: $(cat "$work/stderr")"
	[ ! -s "$work/stderr" ] || fail "SIG$signal: says $(cat "$work/stderr")"
	[ ! -e "$dir" ] || fail "SIG$signal: '$dir' is still there"
	closed "$port" || fail "SIG$signal: port $port is still open"
done
