#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SIGINT and SIGTERM end sub and pub with 130 and 143 after a DISCONNECT; a second signal does not wait for the broker;
# SIGHUP without a terminal, and a pause by SIGSTOP, are survived.
. "$(dirname "$0")/common.sh"

start_broker
for signal in INT TERM; do
	start_sub -t a
	kill -"$signal" "$sub"
	collect "$sub"
	[ "$code" = $((128 + $(kill -l "$signal"))) ] || fail "sub ended with $code"
	[ ! -s "$stderr" ] || fail "sub said '$(cat "$stderr")'"
done
[ "$(grep -c 'Received DISCONNECT from sub' "$work/broker.log")" = 2 ] || fail "no DISCONNECT was sent"

mkfifo "$work/pipe"
exec 9<>"$work/pipe"
in_background "$SKIFF" pub -b "$url" -i pub -t a -l -q 1 <"$work/pipe" 9>&-
echo one >&9
await "the first line" broker_logged "Sending PUBACK to pub"
kill -INT "$pid"
collect "$pid"
exec 9>&-
[ "$code" = 130 ] || fail "pub ended with $code"
broker_logged "Received DISCONNECT from pub" || fail "pub sent no DISCONNECT"

start_sub -t a
kill -HUP "$sub"
kill -STOP "$sub"
kill -CONT "$sub"
run "$SKIFF" pub -b "$url" -t a -m after
await "a message after SIGHUP and SIGCONT" lines_in "$stdout" 1
[ ! -s "$stderr" ] || fail "without TLS SIGHUP has sub say '$(cat "$stderr")'"

# Nothing answers from here on. What ends at once may do so beside an I/O thread that has ended and is not joined yet.
exec 9<>"$work/pipe"
TSAN_OPTIONS="${TSAN_OPTIONS-}:report_thread_leaks=0" in_background "$SKIFF" pub -b "$url" -i late -t a -l -q 1 -d <"$work/pipe" 9>&-
echo one >&9
await "the first line" broker_logged "Sending PUBACK to late"
kill -STOP "$broker"
echo two >&9
both_sent() { [ "$(grep -c 'packet: sending PUBLISH' "$stderr")" = 2 ]; }
await "the second line" both_sent
kill -INT "$pid"
kill -TERM "$pid"
collect "$pid"
exec 9>&-
[ "$code" = 143 ] || fail "a second signal, SIGTERM, ended pub with $code"

in_background "$SKIFF" pub -b "$url" -t a -m x
watches() { [ "$(awk '/^SigBlk/ {print $2}' "/proc/$pid/status")" != 0000000000000000 ]; }
await "the signals to be watched" watches
kill -INT "$pid"
collect "$pid"
[ "$code" = 130 ] || fail "pub without an answer ended with $code"
