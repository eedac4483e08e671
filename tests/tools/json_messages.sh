# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# `skiff sub --json` prints what its schema says, and `skiff pub --json-in` repeats it byte for byte; a line that is no
# message is counted and the others are published.
. "$(dirname "$0")/common.sh"
command -v jsonschema >/dev/null || skip "no jsonschema"
schema=$(dirname "$0")/../../docs/schema/message-1.json
start_broker

# Lines without what belongs to one delivery, such as their order across levels of QoS.
bare()
{
	sed -E 's/"time":"[^"]*",//; s/"packet_id":[0-9]+,//' "$1" | sort
}

start_sub -t '#' -q 2 --json -C 5
run "$SKIFF" pub -b "$url" -t 'a/ü' -q 2 -m $'say "hi"\\ \t\n\x7f'
expect 0
printf 'a\0b\377' >"$work/bytes"
run "$SKIFF" pub -b "$url" -t a/bytes -q 1 -f "$work/bytes"
expect 0
run "$SKIFF" pub -b "$url" -t a/empty -n
expect 0
run "$SKIFF" pub -b "$url" -t a/large -f <(head -c 100000 /dev/zero)
expect 0
run "$SKIFF" pub -b "$url" -t a/properties -q 1 -m p -D publish user-property k v -D publish user-property k w \
	-D publish content-type text/plain -D publish response-topic b -D publish correlation-data c \
	-D publish message-expiry-interval 60 -D publish payload-format-indicator 1
expect 0
collect "$sub"
[ "$code" = 0 ] || fail "sub: exit code $code: $(cat "$stderr")"
cp "$stdout" "$work/record"
[ "$(wc -l <"$work/record")" = 5 ] || fail "not 5 lines"

valid=()
while read -r line; do
	printf '%s\n' "$line" >"$work/line.${#valid[@]}"
	valid+=(-i "$work/line.${#valid[@]}")
done <"$work/record"
PYTHONWARNINGS=ignore jsonschema "${valid[@]}" "$schema" >"$work/valid" 2>&1 || fail "schema: $(head -5 "$work/valid")"

# Again, with a line in between that is none.
start_sub -t '#' -q 2 --json -C 5
{
	head -n 2 "$work/record"
	echo '{"topic":1}'
	tail -n 3 "$work/record"
} >"$work/in"
run "$SKIFF" pub -b "$url" --json-in --speed 100 <"$work/in"
bad_code=$code bad_err=$err
collect "$sub"
[ "$code" = 0 ] || fail "sub: exit code $code: $(cat "$stderr")"
diff <(bare "$work/record") <(bare "$stdout") >"$work/differs" || fail "repeated otherwise: $(head -c 500 "$work/differs")"
[ "$bad_code" != 0 ] || fail "a line that is no message, and exit code 0"
[[ $bad_err = *'line 3'*'"topic" is no string'* ]] || fail "no word about line 3: $bad_err"

# -q says it for all, also where it is less
"$SKIFF" pub -b "$url" --json-in -q 0 -t less <"$work/record" || fail "-q 0 failed"
broker_logged "Received PUBLISH from .* (d0, q0, .*'less'" || fail "-q 0 did not lower a recorded QoS"
! grep -q "Received PUBLISH from .* (d0, q[12], .*'less'" "$work/broker.log" || fail "a recorded QoS came through -q 0"

# What a terminal obeys is escaped, and comes back
hostile=$'a\302\233b\342\200\256c\177'
start_sub -t hostile --json -C 2
run "$SKIFF" pub -b "$url" -t hostile -m "$hostile"
expect 0
await "the line" lines_in "$stdout" 1
grep -q '"payload":"a\\u009bb\\u202ec\\u007f"' "$stdout" || fail "not escaped: $(cat "$stdout")"
run "$SKIFF" pub -b "$url" --json-in --speed 1 <<<'{"topic":"hostile","payload":"a\u009bb\u202ec\u007f"}'
expect 0 "line 1 has no time to go by"
collect "$sub"
[ "$code" = 0 ] || fail "sub: exit code $code: $(cat "$stderr")"
[ "$(bare "$stdout" | uniq | wc -l)" = 1 ] || fail "it comes back as another: $(cat "$stdout")"

# What mosquitto_sub's JSON has cut at a NUL is no whole message
run "$SKIFF" pub -b "$url" --json-in <<<'{"topic":"cut","payload":"abc","payloadlen":7}'
[ "$code" != 0 ] || fail "a payload that was cut is published"
[[ $err = *'"payloadlen" is 7, and 3 bytes are there'* ]] || fail "no word about the cut: $err"
