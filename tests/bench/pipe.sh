#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pipe.sh: the command in a pipe, beside mosquitto_pub and mosquitto_sub, as a Markdown table with a verdict.
#
#   tests/bench/pipe.sh [-n MESSAGES] [-r REPETITIONS] [BIN]
#
# One alternating run, medians: lines to publish at QoS 0 (to a far end that dozes) and QoS 1, messages received, and the
# wall clock of one message with all that belongs to it. Of the CPU it is the command's own, kernel time included. Our
# own command is called as skiff and as mosquitto_pub; the ratio is that of skiff. Exits 1 when a ratio misses its bound.
#
# At QoS 1 mosquitto_pub takes the first acknowledgement of the last line's packet id for that of the last line, and ends
# with the rest unsent; so there are fewer lines than ids.
set -eu

messages=1000000 confirmed=60000 repetitions=5 lone=10 # messages for one figure
while getopts n:r: option; do
	case $option in
	n) messages=$OPTARG ;;
	r) repetitions=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
bin=$(cd "${1-build/release/bin}" && pwd)
. "$(dirname "$0")/peerd.sh"
command -v mosquitto_pub >/dev/null || { echo "mosquitto-clients is not installed" >&2 && exit 1; }
export XDG_CONFIG_HOME="$work" LC_ALL=C
mkdir "$work/links"
for name in pub sub; do
	ln -s "$bin/skiff" "$work/links/mosquitto_$name"
done
[ "$messages" -gt "$confirmed" ] || confirmed=$messages
seq -f 'line %08.0f of some' "$messages" >"$work/lines"
head -n "$confirmed" "$work/lines" >"$work/confirmed"
results=$work/results
TIMEFORMAT='%R %U %S'

# timed WORK PEER STDIN COMMAND...: notes wall clock and CPU, in seconds
timed()
{
	local work_name=$1 peer=$2 input=$3 spent
	shift 3
	spent=$({ time "$@" <"$input" >/dev/null 2>"$work/said" 3>&- 9>&-; } 2>&1) || { cat "$work/said" >&2 && exit 1; }
	echo "$work_name $peer $spent" >>"$results"
}

each_peer() # WORK STDIN FUNCTION
{
	timed "$1" mosquitto "$2" "$3" mosquitto_pub mosquitto_sub
	timed "$1" skiff "$2" "$3" "$bin/skiff pub" "$bin/skiff sub"
	timed "$1" link "$2" "$3" "$work/links/mosquitto_pub" "$work/links/mosquitto_sub"
}

# Their words: a command may be two.
# shellcheck disable=SC2086
publish_0() { exec_here $1 -h 127.0.0.1 -p "$port" -t a/topic -l; }
# shellcheck disable=SC2086
publish_1() { exec_here $1 -h 127.0.0.1 -p "$port" -t a/topic -q 1 -l; }
# shellcheck disable=SC2086
receive_0() { exec_here $2 -h 127.0.0.1 -p "$port" -t "src/0/$messages/64/100" -C "$messages"; }
# shellcheck disable=SC2086
lone()
{
	for _ in $(seq "$lone"); do
		exec_here $1 -h 127.0.0.1 -p "$port" -t a/topic -m hello
	done
}
exec_here() { "$@"; }

peerd_start "$bin" -l
port=$(peerd_port tcp)
for _ in $(seq "$repetitions"); do
	each_peer publish_0 "$work/lines" publish_0
	each_peer publish_1 "$work/confirmed" publish_1
	each_peer receive_0 /dev/null receive_0
	for _ in 1 2 3 4; do
		each_peer lone /dev/null lone
	done
done

awk -v messages="$messages" -v confirmed="$confirmed" -v lone="$lone" -f "$(dirname "$0")/pipe.awk" "$results"
