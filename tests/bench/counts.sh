#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# counts.sh: system calls, allocations and locks per message in steady state, for skiff and its packaged peers.
#
#   tests/bench/counts.sh [PEER...]       skiff mosq paho
#
# Each is run twice, with N messages and with 3 N; the difference is what 2 N messages cost when all is warm. System
# calls are counted under strace, which makes each of them slower, so that batches are a little larger than otherwise.
# Ends with 1 when skiff exceeds a bound: no allocation, and at most 0.02 system calls per message of QoS 0, 0.1 of QoS 1
# at a window of 100.
set -eu
cd "$(dirname "$0")/../.."
. tools/setup.sh

# work mode qos window
works='
publish-QoS-0             pub 0 1000
publish-QoS-1-window-100  pub 1 100
receive-QoS-0             sub 0 1000
receive-QoS-1             sub 1 1000
'
few=100000

setup_need build bench
setup_run "building" sh -c 'cmake --preset release && cmake --build --preset release'
bin=$PWD/build/release/bin
. tests/bench/peerd.sh
peerd_start "$bin" -s

# run PEER MODE QOS N WINDOW PREFIX...: with the prefix before the program
run()
{
	program=$bin/bench_$1
	set -- "$2" "tcp://127.0.0.1:$(peerd_port tcp)" "$3" "$4" 64 "$5" -- "$@"
	arguments="$1 $2 $3 $4 $5 $6"
	shift 12
	# shellcheck disable=SC2086
	timeout 120 "$@" "$program" $arguments >/dev/null 2>&1
}

# "name count" for each system call, and for allocations and locks
count()
{
	run "$@" strace -f -c -o "$work/strace" || return
	awk '$1 ~ /^[0-9.]+$/ && $NF != "total" { print $NF, $4 }' "$work/strace"
	COUNTS_FD=8 run "$@" env LD_PRELOAD="$bin/../tests/bench/libcounts.so" 8>"$work/counts" || return
	awk '{ print "allocations", $2; print "locks", $4 }' "$work/counts"
}

printf '| work | peer | system calls | allocations | locks | which calls |\n|---|---|---:|---:|---:|---|\n'
status=0
for peer in ${*:-skiff mosq paho}; do
	[ -x "$bin/bench_$peer" ] || continue
	n=$few
	[ "$peer" = skiff ] || n=$((few / 20))
	echo "$works" | while read -r name mode qos window; do
		[ -n "$name" ] || continue
		count "$peer" "$mode" "$qos" "$n" "$window" >"$work/some"
		count "$peer" "$mode" "$qos" $((3 * n)) "$window" >"$work/more"
		awk -v name="$name" -v peer="$peer" -v n=$((2 * n)) -v qos="$qos" '
			NR == FNR { some[$1] = $2; next }
			{
				each = ($2 - some[$1]) / n
				if ($1 == "allocations" || $1 == "locks") { other[$1] = each; next }
				calls += each
				if (each >= 0.0005)
					list = list sprintf("%s %.3f, ", $1, each)
			}
			END {
				sub(/, $/, "", list)
				gsub(/-/, " ", name)
				printf "| %s | %s | %.3f | %.2f | %.2f | %s |\n", name, peer, calls, other["allocations"], other["locks"], list
				bad = calls > (qos ? 0.1 : 0.02) || (!qos && other["allocations"] >= 0.005)
				exit peer == "skiff" && bad
			}' "$work/some" "$work/more" || echo bad >"$work/bad"
	done
	[ ! -e "$work/bad" ] || status=1
done
exit "$status"
