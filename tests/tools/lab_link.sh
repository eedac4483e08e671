#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff lab --link`: a delay is seen twice in every round trip, a rate makes large messages as slow as they must be, what
# is lost comes late, nothing is altered or overtakes; wrong words are refused.
. "$(dirname "$0")/lab_common.sh"

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2 what=$3 slow=0
[ -z "${SKIFF_SANITIZE-}" ] || slow=1
trip() { sed -n 's/.*"trip_qos0_us":{"count":[0-9]*,"p50":\([0-9]*\).*"p99":[0-9.]*,"max":\([0-9]*\).*/\1 \2/p' "$work/json" | head -1; }
# between LEAST VALUE MOST: a sanitizer may take its time
between() { [ "$2" -ge "$1" ] && [ "$2" -le $(($3 * (1 + slow))) ] || { echo "FAIL: $what: $2 is not from $1 to $3" >&2; exit 1; }; }
case $what in
delay)
	"$skiff" compare --json --rounds 2 --trips 5 --burst 5 "$SKIFF_LAB_URL_1883" >"$work/json" || exit
	set -- $(trip | sed 's/"//g')
	between 80000 "$1" 110000
	least=100000 # a busy machine may be late, and never early: the best of five counts
	for _ in 1 2 3 4 5; do
		"$skiff" check --json --cafile "$SKIFF_LAB_CA" "$SKIFF_LAB_URL_8883" >"$work/json" || exit
		tls=$(sed -n 's/.*"stage":"tls","status":"ok","ms":\([0-9]*\).*/\1/p' "$work/json")
		[ "$tls" -ge "$least" ] || least=$tls
		[ "$least" -gt 150 ] || break
	done
	between 80 "$least" 150
	;;
rate) # 12,500 bytes are 100 ms at 1 Mbit/s, there and back
	"$skiff" compare --json --rounds 2 --trips 3 --burst 1 --payload 12500 "$SKIFF_LAB_URL_1883" >"$work/json" || exit
	set -- $(trip)
	between 200000 "$1" 260000
	;;
loss) # half of what goes is lost once, and so at least 200 ms late
	"$skiff" compare --json --rounds 2 --trips 10 --burst 1 "$SKIFF_LAB_URL_1883" >"$work/json" || exit
	set -- $(sed -n 's/.*"trip_qos0_us":{[^}]*"max":\([0-9]*\).*/\1/p' "$work/json")
	between 200000 "$1" 10000000
	;;
whole) # a large message, through jitter
	head -c 300000 /dev/urandom >"$work/sent"
	"$skiff" pub -b "$SKIFF_LAB_URL_1883" -t big -f "$work/sent" -q 1 -r || exit
	"$skiff" sub -b "$SKIFF_LAB_URL_1883" -t big -C 1 -N -W 30 >"$work/got" || exit
	cmp "$work/sent" "$work/got"
	;;
esac
INSIDE

for part in delay:delay=40ms rate:rate=1mbit loss:loss=50% whole:delay=5ms,jitter=5ms; do
	"$skiff" lab --base 0 --link "${part#*:}" -- bash "$work/inside.sh" "$skiff" "$work" "${part%%:*}" || fail "$part"
done
for wrong in delay=40 jitter=x rate=1 loss=1 loss=60% speed=3 'delay=40ms,'x; do
	"$skiff" lab --base 0 --link "$wrong" -- true 2>"$work/err"
	[ $? = 2 ] || fail "--link $wrong: not refused"
	grep -q "is not one of" "$work/err" || fail "--link $wrong: $(cat "$work/err")"
done
