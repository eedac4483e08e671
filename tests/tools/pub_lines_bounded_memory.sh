#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An endless pipe does not fill memory while the broker reads nothing.
. "$(dirname "$0")/common.sh"

[ -z "${SKIFF_SANITIZE-}" ] || skip "sanitizers need memory of their own"
start_broker
in_background "$SKIFF" pub -b "$url" -i pub -t a -l < <(yes 0123456789012345678901234567890123456789012345678901234567890123)
await "the publisher" broker_logged "Received PUBLISH from pub"
kill -STOP "$broker"
resident() { awk '/^VmRSS/ {print $2}' "/proc/$pid/status"; }
grown=0 before=0
settled()
{
	local now
	now=$(resident)
	[ "$now" -le "$((before + 64))" ] && grown=$((grown + 1)) || grown=0
	before=$now
	[ "$grown" -ge 20 ]
}
await "that memory stops growing" settled
[ "$(resident)" -lt 100000 ] || fail "$(resident) KiB are resident"
alive "$pid" || fail "pub has ended"
[ ! -s "$stderr" ] || fail "it gave up lines: $(head -1 "$stderr")"
