#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pub -l sends each line as it is: carriage returns, NULs and empty lines kept, the last line also without its newline,
# and many lines in order at every QoS.
. "$(dirname "$0")/common.sh"

start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "max_queued_messages 0"
printf 'one\r\nt\0wo\n\n\377three\n\nlast' >"$work/lines"
start_sub -t a -v -C 6
run "$SKIFF" pub -b "$url" -t a -l <"$work/lines"
expect 0
collect "$sub"
printf 'a one\r\na t\0wo\na (null)\na \377three\na (null)\na last\n' >"$work/want"
cmp "$work/want" "$stdout" || fail "lines came out as $(od -c "$stdout")"

seq 20000 >"$work/many"
for qos in 0 1 2; do
	start_sub -t a -q "$qos" -C 20000
	run "$SKIFF" pub -b "$url" -t a -q "$qos" -l <"$work/many"
	expect 0
	collect "$sub"
	cmp "$work/many" "$stdout" || fail "QoS $qos: lines lost or out of order"
done

run "$SKIFF" pub -b "$url" -t a -l </dev/null
expect 0
