#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# many.sh: many connections, many threads, a slow peer, several I/O threads, as a Markdown table; skiff only.
#
#   tests/bench/many.sh [--quick]
#
# --quick: fewer connections, and idle for a second instead of 60. Ends with 1 when a bound is not met.
set -eu
cd "$(dirname "$0")/../.."
. tools/setup.sh

connections=10000
others=1000
seconds=60
case ${1-} in
--quick)
	connections=1000
	others=200
	seconds=1
	;;
'') ;;
*)
	setup_say "usage: tests/bench/many.sh [--quick]"
	exit 2
	;;
esac

setup_need build bench
setup_run "building" sh -c 'cmake --preset release && cmake --build --preset release'
bin=$PWD/build/release/bin
# A descriptor a connection at either end, three over WebSockets.
ulimit -n "$(ulimit -Hn)"
files=$(ulimit -n)
if [ "$files" != unlimited ] && [ "$files" -lt $((connections + 200)) ]; then
	setup_say "the limit of open files ($files) allows only $((files - 200)) connections"
	connections=$((files - 200))
fi
. tests/bench/peerd.sh
peerd_start "$bin"

url()
{
	echo "$1://127.0.0.1:$(peerd_port "$1")"
}

# Appends what bench_many says, each line with a prefix.
measure()
{
	prefix=$1
	shift
	timeout 300 "$bin/bench_many" "$@" >"$work/said"
	sed "s/^/$prefix/" "$work/said" >>"$work/values"
}

for scheme in tcp tls ws wss; do
	n=$connections
	[ "$scheme" = tcp ] || n=$others
	echo "${scheme}_n=$n" >>"$work/values"
	measure "${scheme}_" connections "$(url "$scheme")" "$n" "$seconds"
done
measure '' threads "$(url tcp)"
measure '' slow "$(url tcp)"
measure '' loops "$(url tcp)"

awk -F = -v seconds="$seconds" '
	{ v[$1] = $2 }
	function row(what, text, bound, met) {
		printf "| %s | %s | %s | %s |\n", what, text, bound, bound == "" ? "" : met ? "yes" : "no"
		if (bound != "" && !met)
			missed++
	}
	END {
		print "| what | measured | bound | met |"
		print "|---|---|---|---|"
		n = split("tcp tls ws wss", scheme, " ")
		for (i = 1; i <= n; i++) {
			s = scheme[i] "_"
			name = v[s "n"] " connections, " scheme[i]
			row(name ": all connected", sprintf("%.0f ms, %.0f us of CPU each", v[s "connect_ms"], v[s "connect_cpu_us"]), "")
			row(name ": memory of each", sprintf("%.1f KB", v[s "memory_bytes"] / 1024), "")
			row(name ": idle for " seconds " s", sprintf("%.0f ms of CPU", v[s "idle_cpu_ms"]), "")
			ratio = v[s "many_cpu_us"] / v[s "few_cpu_us"]
			row(name ": a message on one of them, beside 10", sprintf("%.1f and %.1f us of CPU: %.2f; p99 %.0f and %.0f us", \
				v[s "many_cpu_us"], v[s "few_cpu_us"], ratio, v[s "many_p99_us"], v[s "few_p99_us"]), "1.2", ratio <= 1.2)
		}
		row("8 threads, 8 clients, beside 1", sprintf("%.1f and %.1f million messages/s; the slowest thread took %.2f x as long as the fastest", \
			v["own_rate"] / 1e6, v["one_rate"] / 1e6, v["own_unfair"]), "as fast, 2 x", v["own_rate"] >= v["one_rate"] && v["own_unfair"] <= 2)
		row("8 threads, 1 client, beside 1", sprintf("%.1f and %.1f million messages/s; the slowest thread took %.2f x as long as the fastest", \
			v["shared_rate"] / 1e6, v["one_rate"] / 1e6, v["shared_unfair"]), "as fast, 2 x", v["shared_rate"] >= v["one_rate"] && v["shared_unfair"] <= 2)
		row("peer reads 1 KiB/s: memory of its client", sprintf("%.1f MB", v["slow_memory_bytes"] / 1048576), \
			sprintf("twice the queue of %.0f MB", v["slow_bound_bytes"] / 1048576), \
			v["slow_memory_bytes"] <= 2 * v["slow_bound_bytes"])
		row("another client beside it, and alone", sprintf("p99 %.0f and %.0f us", v["beside_p99_us"], v["alone_p99_us"]), \
			"1.5", v["beside_p99_us"] <= 1.5 * v["alone_p99_us"])
		row("4 clients with handlers that work, on 2 I/O threads, beside 1", sprintf("%.2f times the messages", v["loops_scale"]), "1.8", v["loops_scale"] >= 1.8)
		exit missed > 0
	}' "$work/values"
