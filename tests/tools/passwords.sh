#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A password comes from the environment, a file, standard input, the URL or a terminal, and is shown nowhere: not in the
# list of processes, not in the environment, not in the log.
. "$(dirname "$0")/common.sh"

mosquitto_passwd -c -b "$work/passwords" me c4n4ry 2>/dev/null || skip "mosquitto_passwd is not installed"
chmod 644 "$work/passwords"
start_broker "listener PORT 127.0.0.1" "password_file $work/passwords"
echo c4n4ry >"$work/secret"
chmod 600 "$work/secret"
pub() { run "$SKIFF" pub -b "$url" -d -t a -m x "$@"; }
SKIFF_PASSWORD=c4n4ry pub -u me
expect 0
pub -u me --pw-file "$work/secret"
expect 0
[[ $err != *"may be read by others"* ]] || fail "a file of mode 600 is warned about"
pub -u me --pw-file - <"$work/secret"
expect 0
chmod 644 "$work/secret"
pub -u me --pw-file "$work/secret"
expect 0 "may be read by others"
pub -u me -P c4n4ry
expect 0 "the password of '--pw' was visible"
run "$SKIFF" pub -b "mqtt://me:c4n4ry@127.0.0.1:$port" -d -t a -m x
expect 0 "the password in the URL was visible"
[[ $err != *c4n4ry* ]] || fail "the password is shown"
pub --proxy http://me:c4n4ry@127.0.0.1:1
expect 12 "the password of '--proxy' was visible"
[[ $err != *c4n4ry* ]] || fail "the proxy's password is shown"
pub -u me --pw-file "$work/missing"
expect 10
pub -u me -P x --pw-ask
expect 2
run setsid "$SKIFF" pub -b "$url" -u me --pw-ask -t a -m x </dev/null
expect 2 "option '--pw-ask': there is no terminal to ask on"

# hides FILE: what /proc shows of it, once the subscription stands, holds no password
hides()
{
	! tr '\0' '\n' <"/proc/$sub/$1" | grep -q c4n4ry || fail "/proc/PID/$1 shows the password"
	kill "$sub"
	collect "$sub"
	! grep -q c4n4ry "$stdout" "$stderr" || fail "the output shows the password"
}
start_sub -d -t a -u me -P c4n4ry
hides cmdline
start_sub -d -t a -u me --pw=c4n4ry
hides cmdline
bare=$url
url=mqtt://me:c4n4ry@127.0.0.1:$port
start_sub -d -t a
hides cmdline
url=$bare
export SKIFF_PASSWORD=c4n4ry
start_sub -d -t a -u me
hides environ
export all_proxy=http://me:c4n4ry@127.0.0.1:1 no_proxy=127.0.0.1
start_sub -d -t a -u me --proxy-env
hides environ
unset SKIFF_PASSWORD all_proxy no_proxy
! grep -rq c4n4ry "$work"/background.* || fail "the password is in some output"

SKIFF_PASSWORD=c4n4ry run "$SKIFF" pub -b "$url" -t a -m x
expect 16
