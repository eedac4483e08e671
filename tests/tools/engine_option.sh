#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pub and sub speak through the engine that --engine or SKIFF_ENGINE names, with every QoS and version and in silence;
# what that engine lacks is refused with exit code 2 by name, and an engine that there is not, with a suggestion. A proxy
# in the environment is not used with any engine.
. "$(dirname "$0")/common.sh"

run "$SKIFF" pub -t a -m x --engine pahoo
expect 2 "option '--engine': 'pahoo' is not native or paho; did you mean 'paho'?"
run "$SKIFF" sub -t a --engine quick
expect 2 "'quick' is not native or paho"
[[ $err != *"did you mean"* ]] || fail "a suggestion for what resembles nothing"
run env SKIFF_ENGINE=pahoo "$SKIFF" pub -t a -m x
expect 2 "there is no engine 'pahoo'; choose native or paho"
has_paho || skip "the engine paho is not built in"

# said_by ENGINE: what a subscriber of that engine prints of what a publisher of that engine sends
said_by()
{
	local version qos
	for version in 5 311; do
		for qos in 0 1 2; do
			start_sub -t 'a/+' -v -q "$qos" -V "$version" -C 2 ${1:+--engine "$1"}
			run "$SKIFF" pub -b "$url" -t a/b -m "text $qos" -q "$qos" -V "$version" ${1:+--engine "$1"}
			expect 0
			[ -z "$out$err" ] || fail "pub is not silent: $out$err"
			run "$SKIFF" pub -b "$url" -t a/c -n -q "$qos" -V "$version" ${1:+--engine "$1"}
			expect 0
			collect "$sub"
			[ "$code" = 0 ] || fail "sub ended with $code: $(cat "$stderr")"
			[ ! -s "$stderr" ] || fail "sub said '$(cat "$stderr")'"
			cat "$stdout" >>"$work/said"
		done
	done
	mv "$work/said" "$work/said-$2"
}

start_broker
said_by native native
said_by paho paho
SKIFF_ENGINE=paho said_by "" variable
[ "$(wc -l <"$work/said-native")" = 12 ] || fail "native printed $(wc -l <"$work/said-native") lines, not 12"
cmp -s "$work/said-native" "$work/said-paho" || fail "--engine paho printed '$(cat "$work/said-paho")'"
cmp -s "$work/said-native" "$work/said-variable" || fail "SKIFF_ENGINE=paho printed '$(cat "$work/said-variable")'"

# Which engine it was shows in what is refused. The option wins over the variable.
run env SKIFF_ENGINE=paho "$SKIFF" pub -b "unix://$work/none" -t a -m x
expect 2 "the engine 'paho' has no support for unix://"
run env SKIFF_ENGINE=paho "$SKIFF" pub -b "unix://$work/none" -t a -m x --engine native
expect 12

# refused TEXT OPTION...: by pub and by sub, with one line that has TEXT
refused()
{
	local text=$1
	shift
	run "$SKIFF" pub --engine paho -t a -m x "$@"
	expect 2 "$text"
	run "$SKIFF" sub --engine paho -t a "$@"
	expect 2 "$text"
	[[ $err = *"'paho'"*native* ]] || fail "it does not name both engines"
	[ "$(wc -l <"$work/err")" = 1 ] || fail "more than one line"
}
refused "url: " -b "unix://$work/none"
refused "url: " -b "ws://127.0.0.1:$port/a:b"
refused "url: " -b "mqtts://[::1]:$port"
refused "tls.server_name" -b "mqtts://127.0.0.1:$port" --server-name other.example
refused "topic_alias_maximum" -b "$url" -D connect topic-alias-maximum 10

# Nothing listens where the proxy is said to be.
nowhere=http://127.0.0.1:1
for engine in native paho; do
	run env http_proxy=$nowhere https_proxy=$nowhere "$SKIFF" pub -b "$url" -t a -m x -q 1 --engine "$engine"
	expect 0
done

# The log of Paho is part of --debug, and no more than that of skiff a place for secrets.
run env SKIFF_PASSWORD=c4n4ry-p "$SKIFF" pub -d -b "$url" -t a -m c4n4ry-payload -q 2 --engine paho -u me \
	--will-topic gone --will-payload c4n4ry-will
expect 0
[ -s "$work/err" ] || fail "--debug says nothing"
! grep -q -a c4n4ry "$work/out" "$work/err" || fail "shown: $(grep -a -h -m 1 c4n4ry "$work/out" "$work/err")"

# What is wrong at a door is said with the same exit code.
for engine in native paho; do
	run "$SKIFF" pub -b mqtt://no-such-host.invalid -t a -m x --engine "$engine"
	expect 11 "no-such-host.invalid"
	run "$SKIFF" pub -b "mqtts://127.0.0.1:$port" -t a -m x --engine "$engine"
	expect 14
	run "$SKIFF" pub -b mqtts://127.0.0.1 --cafile "$work/missing" -t a -m x --engine "$engine"
	expect 10 "$work/missing"
done
