#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh: every test there is, from a fresh clone.
#
#   tests/run.sh                 release, then address and undefined, then thread sanitizer, then a minute of fuzzing
#   tests/run.sh --quick         release only
#   tests/run.sh --preset NAME   that one only: release, dev, tsan or fuzz; may be given several times
#
# Installs what is missing first (Debian, Ubuntu; elsewhere it names the packages and exits 1). A test that cannot run
# here counts as skipped and says why. The last line is "N passed, N failed, N skipped", over all presets; the exit
# code is 0 when none failed.
set -eu
cd "$(dirname "$0")/.."
. tools/setup.sh

fuzz_seconds=60
passed=0
failed=0
skipped=0

run_usage()
{
	setup_say "usage: tests/run.sh [--quick] [--preset NAME]..."
	exit 2
}

# Many more than there are processors, as a test takes two unless it mostly waits, and the others wait too.
run_jobs()
{
	jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || jobs=2
	[ "$jobs" -ge 2 ] || jobs=2
	echo $((6 * jobs))
}

# The thread sanitizer of older compilers cannot live with much address randomisation; where it may, it runs without.
run_wrapped()
{
	if [ "$1" = tsan ] && setarch "$(uname -m)" -R true 2>/dev/null; then
		shift
		setarch "$(uname -m)" -R "$@"
	else
		shift
		"$@"
	fi
}

# The number in attribute $2 of the test suite in the JUnit file $1.
run_count()
{
	number=$(sed -n "s/^[[:space:]]*$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1)
	echo "${number:-0}"
}

# Builds preset $1; a build that fails counts as one failed test.
run_build()
{
	setup_run "$1: configuring" cmake --preset "$1" && setup_run "$1: building" cmake --build --preset "$1" && return
	failed=$((failed + 1))
	return 1
}

run_tests()
{
	run_build "$1" || return 0
	results=$PWD/build/$1/results.xml
	rm -f "$results"
	status=0
	run_wrapped "$1" ctest --preset "$1" -j "$(run_jobs)" --output-junit "$results" || status=$?
	if [ ! -s "$results" ]; then
		failed=$((failed + 1))
		return
	fi
	broken=$(run_count "$results" failures)
	absent=$(($(run_count "$results" skipped) + $(run_count "$results" disabled)))
	if [ "$status" -ne 0 ] && [ "$broken" -eq 0 ]; then
		broken=1
	fi
	passed=$((passed + $(run_count "$results" tests) - broken - absent))
	failed=$((failed + broken))
	skipped=$((skipped + absent))
}

run_fuzz()
{
	run_build fuzz || return 0
	targets=$(find build/fuzz -name 'fuzz_*' ! -name '*.*' -type f -perm -u+x | sort)
	count=$(echo "$targets" | wc -w)
	if [ "$count" -eq 0 ]; then
		setup_say "no fuzz target was built"
		failed=$((failed + 1))
		return
	fi
	for target in $targets; do
		name=$(basename "$target")
		new=$(mktemp -d)
		set -- "$target" "-max_total_time=$((fuzz_seconds / count))" -timeout=10 -rss_limit_mb=1024 \
			"-artifact_prefix=$PWD/build/fuzz/" "$new"
		words=tests/fuzz/${name#fuzz_}.dict
		[ ! -f "$words" ] || set -- "$@" "-dict=$words"
		seeds=tests/fuzz/corpus/${name#fuzz_}
		[ ! -d "$seeds" ] || set -- "$@" "$seeds"
		if setup_run "fuzz: $name" "$@"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
		rm -rf "$new"
	done
}

presets=
while [ $# -gt 0 ]; do
	case $1 in
	--quick) presets="$presets release" ;;
	--preset)
		shift
		case ${1-} in
		release | dev | tsan | fuzz) presets="$presets $1" ;;
		*) run_usage ;;
		esac
		;;
	*) run_usage ;;
	esac
	shift
done
presets=${presets:-release dev tsan fuzz}

case " $presets " in
*" fuzz "*) setup_need build lab test fuzz ;;
*) setup_need build lab test ;;
esac
for preset in $presets; do
	case $preset in
	fuzz) run_fuzz ;;
	*) run_tests "$preset" ;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
