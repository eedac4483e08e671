#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# engines.sh: skiff on its engines, side by side, as a Markdown table; for README.md.
#
#   tests/bench/engines.sh [-r REPETITIONS] [BIN]
#
# Publishing goes to a far end that dozes, round trips to one that spins (README.md); medians of 3 repetitions in turn.
# Windows are not measured over WebSockets: the far end answers with several packets to a frame, and Paho 1.3.12 leaves
# all but the first lying until something else arrives.
set -eu

repetitions=3
while getopts r: option; do
	case $option in
	r) repetitions=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
here=$(dirname "$0")
results=$(mktemp)
trap 'rm -f "$results"' EXIT
trap 'exit 1' INT TERM

measure()
{
	sh "$here/groups.sh" -r "$repetitions" -p skiff@native,skiff@paho -o "$results" "$@" >/dev/null
}

measure -l -g tcp-pub-q0-64,tcp-pub-q1-w100,tls-pub-q0-64,tls-pub-q1-w100,ws-pub-q0-64,wss-pub-q0-64 "$@"
measure -s -g tcp-ping-q1,tls-ping-q1,ws-ping-q1,wss-ping-q1 "$@"

awk '
	# "-" where it was not measured
	function median(group, engine, name, format,   n, i, k, x, list) {
		n = runs[group, engine]
		for (i = 1; i <= n; i++)
			list[i] = value[group, engine, i, name]
		for (i = 2; i <= n; i++)
			for (k = i; k > 1 && list[k] < list[k - 1]; k--) {
				x = list[k]; list[k] = list[k - 1]; list[k - 1] = x
			}
		return n ? sprintf(format, list[int((n + 1) / 2)]) : "-"
	}
	{
		run = ++runs[$1, $2]
		for (i = 9; i <= NF; i++) {
			split($i, pair, "=")
			value[$1, $2, run, pair[1]] = pair[2] + 0
		}
	}
	END {
		print "| door | engine | QoS 0, 64 bytes: messages/s | CPU us each | QoS 1, window 100: messages/s | CPU us each |" \
			" QoS 1 round trip: median us | p99 us |"
		print "|---|---|---|---|---|---|---|---|"
		doors = split("tcp tls ws wss", door, " ")
		engines = split("native paho", engine, " ")
		for (d = 1; d <= doors; d++)
			for (e = 1; e <= engines; e++) {
				q0 = door[d] "-pub-q0-64"; q1 = door[d] "-pub-q1-w100"; ping = door[d] "-ping-q1"
				who = "skiff@" engine[e]
				print "| " door[d] " | " engine[e] " | " median(q0, who, "rate", "%.0f") " | " \
					median(q0, who, "cpu_us", "%.2f") " | " median(q1, who, "rate", "%.0f") " | " \
					median(q1, who, "cpu_us", "%.2f") " | " median(ping, who, "p50_us", "%.0f") " | " \
					median(ping, who, "p99_us", "%.0f") " |"
			}
	}' "$results"
