#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pub -l ends soon after a stop, however many lines the broker leaves unanswered; with a session that is kept, too.
. "$(dirname "$0")/common.sh"

start_broker
mkfifo "$work/pipe"
for kept in "" -c; do
	exec 9<>"$work/pipe"
	in_background "$SKIFF" pub -b "$url" -i "pub$kept" -t a -l -q 1 -W 3 $kept <"$work/pipe" 9>&-
	echo one >&9
	await "the first line" broker_logged "Sending PUBACK to pub$kept"
	kill -STOP "$broker"
	before=$EPOCHSECONDS
	seq 100000 >&9 &
	feeder=$!
	children+=("$feeder")
	collect "$pid"
	took=$((EPOCHSECONDS - before))
	kill -CONT "$broker"
	kill "$feeder"
	wait "$feeder" 2>/dev/null
	exec 9>&-
	[ "$code" = 27 ] || fail "pub $kept ended with $code: $(cat "$stderr")"
	[ "$took" -le 20 ] || fail "pub $kept ended $took s later"
done
