#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh: what skiff costs beside its peers and beside the limit, as a Markdown table; docs/performance.md holds the last.
#
#   tests/bench/run.sh [--quick]
#
# Builds skiff, the far end, the limits (raw, rawenc) and the packaged peers, and runs them in turn, five times, --quick:
# once. Every figure is the median of its runs, every ratio is of one run. Ends with 1 when a "must" is not met.
set -eu
cd "$(dirname "$0")/../.."
. tools/setup.sh

repetitions=5
case ${1-} in
--quick) repetitions=1 ;;
'') ;;
*)
	setup_say "usage: tests/bench/run.sh [--quick]"
	exit 2
	;;
esac

# what | far end | group | figure | beside | must: at most this times that | limit | aim: at most this times that
# With no peer to be beside, must and aim are figures by themselves.
table='
QoS 0 publish, 64 B, tcp: CPU us         | -l | tcp-pub-q0-64    | cpu_us | mosq     | 1/15 | rawenc   | 3
QoS 0 publish, 64 B, tls: CPU us         | -l | tls-pub-q0-64    | cpu_us | mosq     | 1/8  | rawenc   | 3
QoS 0 publish, 64 B, ws: CPU us          | -l | ws-pub-q0-64     | cpu_us | paho     | 1/20 | rawenc   | 5
QoS 0 publish, 64 B, wss: CPU us         | -l | wss-pub-q0-64    | cpu_us | paho     | 1/20 | rawenc   | 5
QoS 1 publish, window 100, tcp: CPU us   | -s | tcp-pub-q1-w100  | cpu_us | mosq     | 1/10 | rawenc   | 3
receive QoS 0, 64 B, tcp: CPU us         | -s | tcp-sub-q0-64    | cpu_us | mosq     | 1/40 | rawenc   | 3
receive QoS 1, 64 B, tcp: CPU us         | -s | tcp-sub-q1-64    | cpu_us | mosq     | 1/10 | -        | 0.5
QoS 1 ping-pong: p50 us                  | -s | tcp-ping-q1      | p50_us | raw      | 1.3  | raw      | 1.15
QoS 1 ping-pong, spinning: p50 us        | -s | tcp-ping-q1      | p50_us | raw+spin | -    | raw+spin | 1.15
1,000 messages a second: p50 us          | -s | tcp-lat-q1       | p50_us | raw      | 1.3  | raw      | 1.2
1,000 messages a second: p99 us          | -s | tcp-lat-q1       | p99_us | raw      | 1.3  | raw      | 1.2
connect, disconnect, tcp: CPU us         | -s | tcp-conn         | cpu_us | raw      | 2    | raw      | 1.2
connect, disconnect, tls: CPU us         | -s | tls-conn         | cpu_us | raw      | 1.4  | raw      | 1.2
the same, resumed: CPU us                | -s | tls-resume       | cpu_us | raw      | -    | raw      | 1.2
64 KiB, QoS 0, tcp: CPU us               | -s | tcp-pub-q0-65536 | cpu_us | raw      | 1.1  | raw      | 1.1
16 MiB, QoS 0, tcp: CPU us               | -s | tcp-pub-q0-16M   | cpu_us | raw      | 1.1  | raw      | 1.1
64 KiB received, tcp: CPU us             | -s | tcp-sub-q0-65536 | cpu_us | raw+loop | -    | raw+loop | 1.1
16 MiB received, tcp: CPU us             | -s | tcp-sub-q0-16M   | cpu_us | raw+loop | -    | raw+loop | 1.1
idle connection, tcp, 1,000 of them: B   | -s | tcp-idle         | mem_b  | -        | 4096 | -        | 1024
idle connection, tls, 1,000 of them: B   | -s | tls-idle         | mem_b  | -        | 45056 | -       | 30720
'

# The groups of one far end, and the peers they need, separated by commas.
groups_of()
{
	echo "$table" | awk -F ' *[|] *' -v look="$1" '$2 == look && !seen[$3]++ { printf "%s%s", comma, $3; comma = "," }'
}

setup_need build bench
setup_run "building" sh -c 'cmake --preset release && cmake --build --preset release'
lazy=$(mktemp)
busy=$(mktemp)
trap 'rm -f "$lazy" "$busy"' EXIT
trap 'exit 1' INT TERM
sh tests/bench/groups.sh -l -r "$repetitions" -p rawenc,skiff,mosq,paho -g "$(groups_of -l)" -o "$lazy" >/dev/null
sh tests/bench/groups.sh -s -r "$repetitions" -p raw,rawenc,skiff,mosq,raw+spin,skiff+spin,raw+loop \
	-g "$(groups_of -s)" -o "$busy" >/dev/null

echo "$table" | cat - "$lazy" "$busy" | awk -F ' *[|] *' '
	function median(list, n,   i, k, x) {
		for (i = 2; i <= n; i++)
			for (k = i; k > 1 && list[k] < list[k - 1]; k--) {
				x = list[k]; list[k] = list[k - 1]; list[k - 1] = x
			}
		return n ? list[int((n + 1) / 2)] : ""
	}
	function figure(group, peer, name,   i, n, list) {
		n = runs[group, peer]
		for (i = 1; i <= n; i++)
			list[i] = value[group, peer, i, name]
		return median(list, n)
	}
	# Of the ratios within each repetition, where one runs right after the other: a minute in which the machine is slow
	# then slows both.
	function ratio(group, mine, other, name,   i, n, list) {
		if (other == "-")
			return ""
		for (i = 1; i <= runs[group, mine] && i <= runs[group, other]; i++)
			if (value[group, other, i, name])
				list[++n] = value[group, mine, i, name] / value[group, other, i, name]
		return median(list, n)
	}
	function number(text,   parts) {
		return split(text, parts, "/") == 2 ? parts[1] / parts[2] : text + 0
	}
	function written(x) {
		return x == "" ? "-" : x >= 100 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.3f", x)
	}
	# how much larger, as people say it
	function times(x) { return x < 1 ? sprintf("1/%.1f", 1 / x) : sprintf("%.2f", x) }
	function verdict(mine, found, bound, alone) {
		if (bound == "-")
			return ""
		if (alone && mine != "")
			return mine <= number(bound) ? "yes" : "no"
		if (found == "")
			return "not measured"
		return times(found) (found <= number(bound) ? ", yes" : ", no")
	}
	NF == 8 { row[++rows] = $0; next }
	NF == 1 && $0 != "" {
		n = split($0, word, " ")
		run = ++runs[word[1], word[2]]
		for (i = 3; i <= n; i++)
			if (split(word[i], pair, "=") == 2)
				value[word[1], word[2], run, pair[1]] = pair[2] + 0
	}
	END {
		print "| work | skiff | peer | must: ratio at most | met | limit | aim: ratio at most | met |"
		print "|---|---:|---:|---:|---|---:|---:|---|"
		for (r = 1; r <= rows; r++) {
			split(row[r], part, / *[|] */)
			spin = part[5] ~ /[+]spin/ ? "+spin" : ""
			mine = figure(part[3], "skiff" spin, part[4])
			peer = part[5] == "-" ? "" : figure(part[3], part[5], part[4])
			limit = part[7] == "-" ? "" : figure(part[3], part[7], part[4])
			must = verdict(mine, ratio(part[3], "skiff" spin, part[5], part[4]), part[6], part[5] == "-")
			printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", part[1], written(mine), \
				peer == "" ? "" : part[5] " " written(peer), part[6], must, \
				limit == "" ? "" : part[7] " " written(limit), part[8], \
				verdict(mine, ratio(part[3], "skiff" spin, part[7], part[4]), part[8], part[7] == "-")
			if (part[6] != "-" && must !~ /yes/)
				missed++
		}
		exit missed > 0
	}'
