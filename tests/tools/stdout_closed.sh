#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# When the reader of standard output goes, sub ends quietly with 141: at once when it has nothing to print, and when it has.
. "$(dirname "$0")/common.sh"

start_broker
reader() { head -1 >"$work/first"; }
"$SKIFF" sub -b "$url" -i reader -t a 2>"$work/err" | reader &
pipeline=$!
await "the subscription" broker_logged "Sending SUBACK to reader"
run "$SKIFF" pub -b "$url" -t a -m one
expect 0
ends_by_itself() { broker_logged "Received DISCONNECT from reader"; }
await "that sub notices" ends_by_itself
wait "$pipeline"
[ "$(cat "$work/first")" = one ] || fail "the reader got '$(cat "$work/first")'"
[ ! -s "$work/err" ] || fail "it is not quiet"

run bash -c '"$0" sub -b "$1" -t a -W 10 | true; exit "${PIPESTATUS[0]}"' "$SKIFF" "$url"
expect 141
[ -z "$err" ] || fail "it is not quiet"
run bash -c '"$0" help pub | true; exit "${PIPESTATUS[0]}"' "$SKIFF"
[ "$code" = 141 ] || [ "$code" = 0 ] || fail "help ended with $code"
