#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With -c and -i the broker keeps messages between runs, and -C takes exactly as many as it says: none is lost with it.
. "$(dirname "$0")/common.sh"

start_broker
for version in 5 311; do
	run "$SKIFF" sub -b "$url" -c -i keeper -t a -q 1 -E -V "$version"
	expect 0
	seq 9 | "$SKIFF" pub -b "$url" -t a -l -q 1 || fail "pub failed"
	got=
	for count in 1 2 1 3 2; do
		[ "$version" = 5 ] || count=9
		run "$SKIFF" sub -b "$url" -c -i keeper -t a -q 1 -C "$count" -W 10 -V "$version"
		expect 0
		[ "$(wc -l <"$work/out")" = "$count" ] || fail "-C $count printed $out"
		got+=" "$(tr '\n' ' ' <"$work/out")
		[ "$version" = 5 ] || break
	done
	[ "$(echo $got)" = "1 2 3 4 5 6 7 8 9" ] || fail "version $version: received $got"
	run "$SKIFF" sub -b "$url" -i keeper -t a -E
	expect 0
done

# Without MQTT 5's receive maximum some may come twice, as with mosquitto_sub, but each comes.
ln -s "$SKIFF" "$work/mosquitto_sub"
export HOME=$work
for name in "$SKIFF sub" "$work/mosquitto_sub"; do
	for options in "-V 311" "-V 311 -q 2"; do
		kept=($name -h 127.0.0.1 -p "$port" -c -i keeper -t a -q 1 $options)
		run "${kept[@]}" -E
		expect 0
		seq 200 | "$SKIFF" pub -b "$url" -t a -l -q 2 || fail "pub failed"
		: >"$work/all"
		for count in 3 1 20; do
			run "${kept[@]}" -C "$count" -W 10
			expect 0
			[ "$(wc -l <"$work/out")" = "$count" ] || fail "$name $options -C $count printed $out"
			cat "$work/out" >>"$work/all"
		done
		run "${kept[@]}" -W 1
		expect 27
		cat "$work/out" >>"$work/all"
		[ "$(sort -nu "$work/all")" = "$(seq 200)" ] || fail "$name $options: $(sort -nu "$work/all" | wc -l) of 200 came"
	done
done

# A mosquitto 2.0 sends more at once than MQTT 5's receive maximum allows; what is taken all the same is 20 at the links.
for name in "$SKIFF sub" "$work/mosquitto_sub"; do
	kept=($name -h 127.0.0.1 -p "$port" -c -i backlog -t b -q 1 -V 5 -x 60 -D connect receive-maximum 20)
	run "${kept[@]}" -E
	expect 0
	seq 500 | "$SKIFF" pub -b "$url" -t b -l -q 2 || fail "pub failed"
	run "${kept[@]}" -C 500 -W 20
	expect 0
	[ "$out" = "$(seq 500)" ] || fail "$name: of the backlog $(wc -l <"$work/out") lines came"
	[ -z "$err" ] || fail "$name says '$err'"
done

run "$SKIFF" sub -b "$url" -c -t a
expect 2 "option '--disable-clean-session': a session is found by its client id; add '--id'"
