#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What was asked for goes to stdout with 0, faults go to stderr; nothing is coloured in a pipe.
. "$(dirname "$0")/common.sh"

for words in help "help pub" "help sub" "help exit" "help environment" "help engines" "help --man" "help --man pub" "help help" "help cert" "help cert show" \
	"help --man cert check" "cert show --help" "cert --help" version \
	"pub --help" "sub -t a --help --nonsense" "sub --version" --help --version; do
	run "$SKIFF" $words
	expect 0
	[ -n "$out" ] || fail "'$words' prints nothing"
	[ -z "$err" ] || fail "'$words' says '$err'"
	[[ $out != *$'\033'* ]] || fail "'$words' is coloured"
done
run "$SKIFF" version
[[ $out = "skiff "*OpenSSL* ]] || fail "version prints '$out'"
[ "$("$SKIFF" pub --help)" = "$("$SKIFF" help pub)" ] || fail "--help and help differ"
for command in pub sub version help; do
	"$SKIFF" help | grep -q "^  $command " || fail "help does not list $command"
done
run env LC_ALL=tr_TR.UTF-8 TZ=Nowhere/Nowhere "$SKIFF" help pub
expect 0
