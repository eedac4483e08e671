#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff lab --as test.mosquitto.org` is that host for the command: its name, its ports, and TLS by the system's trust;
# and nothing else is within reach.
. "$(dirname "$0")/lab_common.sh"
command -v mosquitto_sub >/dev/null || skip "no mosquitto_sub"

cat >"$work/inside.sh" <<'INSIDE'
fail() { echo "FAIL: $*"; exit 1; }
[ "$SKIFF_LAB_URL_1883" = mqtt://test.mosquitto.org:1883 ] || fail "1883 is $SKIFF_LAB_URL_1883"
[ "$SKIFF_LAB_URL_8091" = wss://rw:readwrite@test.mosquitto.org:8091/mqtt ] || fail "8091 is $SKIFF_LAB_URL_8091"
timeout 10 mosquitto_sub -h test.mosquitto.org -t demo -E || fail "1883 lets nobody in"
timeout 10 mosquitto_sub -h test.mosquitto.org -p 8883 --cafile "$SKIFF_LAB_CA" -t demo -E || fail "8883 lets nobody in"
openssl s_client -brief -verify_return_error -verify_hostname test.mosquitto.org -connect test.mosquitto.org:8886 \
	</dev/null 2>/dev/null || fail "8886 is not trusted"
! openssl s_client -brief -verify_return_error -connect test.mosquitto.org:8883 </dev/null 2>/dev/null ||
	fail "8883 is trusted without its CA"
! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || fail "the other lab is within reach"
[ "$(grep -c . /proc/net/dev)" = 3 ] || fail "there is more than loopback"
INSIDE
lab_up
said=$("$skiff" lab --as test.mosquitto.org -- bash "$work/inside.sh" "$port" 2>&1)
status=$?
[[ $said != *"cannot make a private network"* ]] || skip "$said"
[[ $said != *"cannot make a private view"* ]] || skip "$said"
[ $status = 0 ] || fail "$said"
! getent hosts test.mosquitto.org | grep -q '^127\.' || fail "the name leads to the lab outside of it, too"
