#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A topic that cannot be is refused with 2 and the place of the fault, before anything is connected.
. "$(dirname "$0")/common.sh"

free_port
url=mqtt://127.0.0.1:$port
pub() { run "$SKIFF" pub -b "$url" -m x -t "$1"; }
sub() { run "$SKIFF" sub -b "$url" -t "$1"; }
pub ''
expect 2 "skiff pub: option '--topic': '': it is empty"
pub 'a/+'
expect 2 "option '--topic': 'a/+': the wildcard '+' at byte 3 is for filters only"
pub $'ab\377'
expect 2 "byte 3 is not valid UTF-8"
pub $'a\355\240\200'
expect 2 "byte 2 is not valid UTF-8"
pub "$(head -c 65536 /dev/zero | tr '\0' a)"
expect 2 "65536 bytes are more than the 65535 that MQTT allows"
sub ''
expect 2
for filter in 'a#' '#/a' 'a/b+' '+a'; do
	sub "$filter"
	expect 2 "must fill a whole level"
done
sub '$share/x'
expect 2 "a shared subscription is written"
for filter in '#' '+' 'a/+/b/#' '/' '$share/x/a/#' 'ü'; do
	sub "$filter"
	expect 12
done
pub '/'
expect 12
for topic in $'a\tb' $'a\302\200' $'a\357\277\277'; do
	pub "$topic"
	expect 12 "warning: in a topic the character at byte 2 is one that a broker may refuse"
done
pub $'a\302\240\357\277\275'
[[ $err != *warning* ]] || fail "a usual character is warned of: $err"
