#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# groups.sh: the same work by every library that was built, side by side.
#
#   tests/bench/groups.sh [-r REPETITIONS] [-p PEER,...] [-g GROUP,...] [-s | -l] [-o RESULTS] [BIN]
#
#   -r  how often, all peers in turn, so that a slow minute of the machine hits all alike; 5
#   -p  only these peers; the reference of the ratios is "mosq" where it ran, else the first; skiff@ENGINE: skiff on it;
#       PEER+spin: spinning instead of sleeping; raw+loop: asking by poll(), each message in one piece
#   -g  only these groups, and those that go on behind a hyphen: tcp-pub is all of publishing over TCP
#   -s  the far end spins (the default): latency, windows, receiving;  -l  it dozes: CPU of publishing
#   -o  keep each line there; with no peer to run, only its report is printed
#   BIN holds peerd and bench_*; build/release/bin
#
# The far end has one CPU for itself and the client another where there are two. Compare cpu_us first, rate second, and
# peers of one run only: absolute figures belong to a machine.
set -eu

repetitions=5
peers=
groups=
look=-s
results=
while getopts r:p:g:slo: option; do
	case $option in
	r) repetitions=$OPTARG ;;
	p) peers=$(echo "$OPTARG" | tr ',' ' ') ;;
	g) groups=$(echo "$OPTARG" | tr ',' ' ') ;;
	s) look=-s ;;
	l) look=-l ;;
	o) results=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
bin=${1-$(dirname "$0")/../../build/release/bin}
[ -x "$bin/peerd" ] || { echo "groups.sh: '$bin' has no 'peerd'; build the preset release first" >&2; exit 1; }

# name mode scheme qos n size window
table='
tcp-pub-q0-64     pub    tcp 0 100000    64 1000
tcp-pub-q0-1024   pub    tcp 0  60000  1024 1000
tcp-pub-q0-65536  pub    tcp 0   5000 65536   50
tcp-pub-q0-16M    pub    tcp 0     60 16777216 2
tcp-pub-q1-w20    pub    tcp 1  30000    64   20
tcp-pub-q1-w100   pub    tcp 1  30000    64  100
tcp-pub-q1-w1000  pub    tcp 1  30000    64 1000
tcp-lat-q1        lat    tcp 1   3000    64   20
tcp-ping-q1       ping   tcp 1   3000    64    1
tcp-sub-q0-64     sub    tcp 0 150000    64 1000
tcp-sub-q0-1024   sub    tcp 0  80000  1024 1000
tcp-sub-q1-64     sub    tcp 1  50000    64 1000
tcp-sub-q0-65536  sub    tcp 0   5000 65536   50
tcp-sub-q0-16M    sub    tcp 0    120 16777216 2
tls-pub-q0-64     pub    tls 0  60000    64 1000
tls-pub-q0-1024   pub    tls 0  30000  1024 1000
tls-pub-q1-w100   pub    tls 1  20000    64  100
tls-sub-q0-64     sub    tls 0  80000    64 1000
tls-ping-q1       ping   tls 1   2000    64    1
ws-pub-q0-64      pub    ws  0  60000    64 1000
ws-pub-q1-w100    pub    ws  1  20000    64  100
ws-sub-q0-64      sub    ws  0  80000    64 1000
ws-ping-q1        ping   ws  1   2000    64    1
wss-pub-q0-64     pub    wss 0  60000    64 1000
wss-pub-q1-w100   pub    wss 1  20000    64  100
wss-sub-q0-64     sub    wss 0  80000    64 1000
wss-ping-q1       ping   wss 1   2000    64    1
tcp-conn          conn   tcp 0   3000     0    1
tls-conn          conn   tls 0    300     0    1
tls-resume        resume tls 0    300     0    1
ws-conn           conn   ws  0    200     0    1
tcp-idle          idle   tcp 0   1000     0    1
tls-idle          idle   tls 0   1000     0    1
'

# How many for this peer: the limits need more to be measured at all; Paho takes a second for a connection, and
# libmosquitto's select() ends at 1024 descriptors, three a client.
count_for()
{
	case $1-$2 in
	raw*-pub | raw*-sub) [ "$4" -ge 65536 ] && echo "$3" || echo $(($3 * 20)) ;;
	paho-conn | paho-idle) echo 5 ;;
	mosq-idle) echo 330 ;;
	*) echo "$3" ;;
	esac
}

# wanted GROUP: whether -g names it
wanted()
{
	[ -n "$1" ] || return 1
	[ -n "$groups" ] || return 0
	for group in $groups; do
		case $1 in "$group" | "$group"-*) return 0 ;; esac
	done
	return 1
}

# run_one PEER NAME MODE SCHEME QOS N SIZE WINDOW: one line of results, or none when the peer cannot do it.
run_one()
{
	peer=$1
	name=$2
	mode=$3
	engine=${SKIFF_ENGINE-}
	program=${peer%+*}
	case $program in *@*) engine=${program#*@} ;; esac
	port=$(peerd_port "$4")
	status=0
	set -- "$4" "$5" "$(count_for "$program" "$mode" "$6" "$7")" "$7" "$8"
	case $peer in
	*+spin) export SPIN=1 ;;
	*+loop) export LOOP=1 ;;
	esac
	line=$(pinned 0 env SKIFF_ENGINE="$engine" timeout 60 "$bin/bench_${program%@*}" "$mode" "$1://127.0.0.1:$port" \
		"$2" "$3" "$4" "$5" 2>"$work/stderr") || status=$?
	unset SPIN LOOP
	case $status in
	0) echo "$name $peer ${line#* }" >>"$results" ;;
	3) ;;
	*) echo "$name: $peer ended with $status: $(head -n 1 "$work/stderr")" >&2 ;;
	esac
}

# Medians over the repetitions, cheapest first.
report()
{
	awk '
		function median(list, n,   i, k, x) {
			for (i = 2; i <= n; i++)
				for (k = i; k > 1 && list[k] < list[k - 1]; k--) {
					x = list[k]; list[k] = list[k - 1]; list[k - 1] = x
				}
			return list[int((n + 1) / 2)]
		}
		function field(group, peer, name,   i, n, list) {
			n = runs[group, peer]
			for (i = 1; i <= n; i++)
				list[i] = value[group, peer, i, name]
			return median(list, n)
		}
		{
			if (!($1 in known)) { known[$1] = 1; order[++groups] = $1 }
			if (!(($1, $2) in runs)) peers[$1] = peers[$1] " " $2
			run = ++runs[$1, $2]
			for (i = 9; i <= NF; i++) {
				split($i, pair, "=")
				value[$1, $2, run, pair[1]] = pair[2] + 0
			}
		}
		END {
			for (g = 1; g <= groups; g++) {
				group = order[g]
				n = split(peers[group], peer, " ")
				base = (group, "mosq") in runs ? "mosq" : peer[1]
				printf "\n%-18s %10s %10s %10s %10s %10s   cpu x %s\n", group, "cpu_us", "rate/s", "p50_us", \
					"p99_us", "mem_b", base
				for (i = 1; i <= n; i++)
					cost[peer[i]] = field(group, peer[i], "cpu_us")
				for (i = 2; i <= n; i++)
					for (k = i; k > 1 && cost[peer[k]] < cost[peer[k - 1]]; k--) {
						x = peer[k]; peer[k] = peer[k - 1]; peer[k - 1] = x
					}
				for (i = 1; i <= n; i++) {
					p = peer[i]
					printf "  %-16s %10.3f %10.0f %10.1f %10.1f %10.0f   %.2f\n", p, cost[p], field(group, p, "rate"), \
						field(group, p, "p50_us"), field(group, p, "p99_us"), field(group, p, "mem_b"), \
						cost[base] ? cost[p] / cost[base] : 0
				}
			}
		}' "$results"
}

. "$(dirname "$0")/peerd.sh"
[ -n "$results" ] || results=$work/results
peerd_start "$bin" "$look"

if [ -z "$peers" ]; then
	peers=$(find "$bin/" -maxdepth 1 -name 'bench_*' -type f | sed 's/.*bench_//' | sort | xargs)
fi
repetition=0
while [ "$repetition" -lt "$repetitions" ]; do
	repetition=$((repetition + 1))
	echo "$table" | while read -r name rest; do
		wanted "$name" || continue
		for peer in $peers; do
			# shellcheck disable=SC2086
			run_one "$peer" "$name" $rest </dev/null
		done
	done
	echo "repetition $repetition of $repetitions done" >&2
done
report
