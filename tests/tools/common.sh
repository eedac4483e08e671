# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# common.sh: what the tests of the command share; to be sourced. SKIFF is the path of the command.
#
#   $work                       a folder that goes with the test
#   fail TEXT; skip TEXT        says it and ends the test
#   await TEXT COMMAND...       waits, 20 seconds at most, until COMMAND succeeds
#   run COMMAND...              runs it; what came out is in $out and $err, the exit code in $code
#   expect CODE [TEXT]          of the last run: its exit code, and a text in its stderr
#   in_background COMMAND...    $pid; output goes to $work/PID.out and .err
#   free_port                   $port, where nothing listens
#   start_broker [LINE]...      a mosquitto with these lines of configuration ("PORT" in them is replaced): $broker, $port, $url
#   broker_logged PATTERN       whether its log has such a line
#   has_paho                    whether the engine paho is built in
set -u
. "$(dirname "${BASH_SOURCE[0]}")/awaited.sh"
work=$(mktemp -d)
export TMPDIR="$work" LC_ALL=C
unset SKIFF_BROKER SKIFF_PASSWORD SKIFF_KEY_PASSWORD SKIFF_ENGINE SKIFF_CONFIG NO_COLOR
children=()

leave()
{
	local child
	for child in ${children[@]+"${children[@]}"}; do
		kill -CONT "$child" 2>/dev/null
		kill -KILL "$child" 2>/dev/null
		wait "$child" 2>/dev/null
	done
	rm -rf "$work"
}
trap leave EXIT

fail()
{
	echo "FAIL: $*" >&2
	[ ! -s "$work/err" ] || sed 's/^/  stderr: /' "$work/err" >&2
	exit 1
}

skip()
{
	echo "skipped: $*" >&2
	exit 77
}

await()
{
	local what=$1
	shift
	awaited "$@" || fail "in vain awaited: $what"
}

run()
{
	"$@" >"$work/out" 2>"$work/err"
	code=$?
	# without NUL bytes, which bash leaves out, and says so
	{
		out=$(<"$work/out")
		err=$(<"$work/err")
	} 2>/dev/null
}

expect()
{
	[ "$code" = "$1" ] || fail "exit code $code, not $1"
	[ -z "${2-}" ] || [[ $err = *"$2"* ]] || fail "no '$2' on stderr"
}

in_background()
{
	local name="$work/background.${#children[@]}"
	"$@" <&0 >"$name.out" 2>"$name.err" &
	pid=$!
	children+=("$pid")
	stdout=$name.out
	stderr=$name.err
}

# The exit code of a background process, in $code.
collect()
{
	wait "$1"
	code=$?
}

listens()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Below the ports that the kernel gives to outgoing connections, which take them at any time.
free_port()
{
	while :; do
		port=$((20000 + RANDOM % 12000))
		listens "$port" || return 0
	done
}

alive()
{
	kill -0 "$1" 2>/dev/null
}

listens_or_died()
{
	listens "$port" || ! alive "$broker"
}

start_broker()
{
	local line _
	command -v mosquitto >/dev/null || skip "mosquitto is not installed"
	[ $# -gt 0 ] || set -- "listener PORT 127.0.0.1" "allow_anonymous true"
	for _ in 1 2 3 4 5; do
		[ -n "${keep_port-}" ] || free_port
		{
			echo "log_dest stderr"
			echo "log_type all"
			echo "user $(id -un)"
			for line; do
				echo "${line//PORT/$port}"
			done
		} >"$work/broker.conf"
		mosquitto -c "$work/broker.conf" >>"$work/broker.log" 2>&1 &
		broker=$!
		children+=("$broker")
		await "the broker at $port" listens_or_died
		if alive "$broker"; then
			url=mqtt://127.0.0.1:$port
			return
		fi
	done
	fail "mosquitto does not start: $(cat "$work/broker.log")"
}

# The same broker again, at the same port.
restart_broker()
{
	keep_port=1
	start_broker "$@"
	keep_port=
}

stop_broker()
{
	kill "$broker"
	wait "$broker" 2>/dev/null
}

broker_logged()
{
	grep -q -- "$1" "$work/broker.log"
}

# A subscriber in the background, once its subscription stands: its options. Its client id is "sub".
start_sub()
{
	local before
	before=$(grep -c "Sending SUBACK to sub" "$work/broker.log")
	in_background "$SKIFF" sub -b "$url" -i sub "$@"
	sub=$pid
	sub_confirmed() { [ "$(grep -c "Sending SUBACK to sub" "$work/broker.log")" -gt "$before" ] || ! alive "$sub"; }
	await "the subscription" sub_confirmed
	alive "$sub" || fail "the subscriber ended: $(cat "$stderr")"
}

has_paho()
{
	"$SKIFF" help engines | grep -q '^  paho .*; built in$'
}

lines_in()
{
	[ "$(wc -l <"$1")" -ge "$2" ]
}
