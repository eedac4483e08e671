# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# proxy_common.sh: what the tests of proxies share; to be sourced inside a lab, with $skiff and $work set.
#
#   bad TEXT                says it, and the script that calls `finish` at its end fails
#   port_of URL             its port
#   trust_of URL            the options that trust a door of the lab
#   tinyproxy_up NAME LINES a proxy with these lines in its configuration; its port comes in $port, its log is $work/NAME.log
#   microsocks_up NAME OPTION...
#   run CODE ARGUMENT...    `skiff check --json`, which must exit with CODE: $work/json, $work/err; no password may show
#   fails CODE "STAGE CAUSE" ARGUMENT...
#   through URL SOURCE      of what was run: it led through that proxy, which SOURCE named; "" "": through none
#   finish

set -u
. "$(dirname "${BASH_SOURCE[0]}")/awaited.sh"
wrong=
proxies=
trap 'kill $proxies 2>/dev/null' EXIT

bad()
{
	wrong=1
	echo "FAIL: $*" >&2
}

finish()
{
	[ -z "$wrong" ]
}

port_of()
{
	echo "$1" | sed 's,^[a-z]*://,,; s,.*@,,; s,/.*,,; s,.*:,,'
}

trust_of()
{
	case $1 in
	mqtts*) echo "--cafile $SKIFF_LAB_CA" ;;
	wss*) echo "--cafile $SKIFF_LAB_WEB_CA" ;;
	esac
}

tinyproxy_up()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + RANDOM % 10000))
		printf 'Port %s\nListen 127.0.0.1\nMaxClients 50\nTimeout 60\n%s\n' "$port" "$2" >"$work/$1.conf"
		mkfifo "$work/$1.$port"
		tinyproxy -d -c "$work/$1.conf" >"$work/$1.$port" 2>&1 &
		proxies="$proxies $!"
		exec 3<"$work/$1.$port"
		while IFS= read -r line <&3; do # it says so when it takes connections, or ends when the port is taken
			echo "$line" >>"$work/$1.log"
			case $line in
			*"Accepting connections"*)
				cat <&3 >>"$work/$1.log" &
				exec 3<&-
				return
				;;
			esac
		done
		exec 3<&-
	done
	bad "no proxy came up: $(cat "$work/$1.log")"
}

listens()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

microsocks_settled()
{
	listens "$port" || ! kill -0 "$pid" 2>/dev/null
}

# It says nothing when it takes connections, and ends when the port is taken.
microsocks_up()
{
	local name=$1 pid
	shift
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + RANDOM % 10000))
		listens "$port" && continue
		microsocks -i 127.0.0.1 -p "$port" "$@" >"$work/$name.log" 2>&1 &
		pid=$!
		proxies="$proxies $pid"
		awaited microsocks_settled && kill -0 "$pid" 2>/dev/null && return
	done
	bad "no proxy came up: $(cat "$work/$name.log")"
}

run()
{
	local wanted=$1 code
	shift
	"$skiff" check --json "$@" >"$work/json" 2>"$work/err"
	code=$?
	[ $code = "$wanted" ] || bad "check $*: exit code $code, not $wanted: $(cat "$work/err" "$work/json")"
	grep -q 's3cret' "$work/json" "$work/err" && bad "check $*: a password is shown"
}

fails()
{
	local code=$1 wanted=$2
	shift 2
	run "$code" "$@"
	got=$(sed -n 's/.*"failure":{"stage":"\([^"]*\)","cause":"\([^"]*\)".*/\1 \2/p' "$work/json")
	[ "$got" = "$wanted" ] || bad "check $*: '$got', not '$wanted': $(cat "$work/json")"
}

through()
{
	local wanted="\"proxy\":{\"url\":\"$1\",\"from\":\"$2\"}"
	[ -n "$1" ] || wanted='"proxy":null'
	grep -qF "$wanted" "$work/json" || bad "no $wanted in $(cat "$work/json")"
}

# says TEXT: what failed, or what to do, holds it
says()
{
	grep -qF "$1" "$work/json" || bad "not said: '$1' in $(cat "$work/json")"
}
