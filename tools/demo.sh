#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh: from a fresh clone to "Hello World" over every transport, on this machine alone.
#
#   1. installs what is missing (Debian, Ubuntu; elsewhere it names the packages and exits 1)
#   2. configures and builds the command `skiff` and the example `hello`
#   3. starts the lab, a broker with every door, and runs `hello` through five of them
#   4. compares the lab's eleven doors; the lab ends, and with it everything that was started
#
# SKIFF_ENGINE=paho has the engine paho do it (`skiff help engines`); a door that it has no support for is left out, in
# its own words.
#
# Exit code: 0 when every door carried the message and did as expected, else 1 with the reason on stderr. Run again, it takes seconds.
set -eu
cd "$(dirname "$0")/.."
. tools/setup.sh
bin=$PWD/build/release/bin

# demo_carry URL [NAME=VALUE...]: "Hello World" to URL and back, with TLS files from the environment given.
demo_carry()
{
	url=$1
	shift
	printf '\n%s\n' "$url"
	env "$@" "$bin/hello" "$url" || failed=1
}

# The same for a door that not every engine has.
demo_carry_where_supported()
{
	if refusal=$("$bin/hello" "$1" 2>&1 >/dev/null); then
		refusal=
	fi
	case $refusal in
	*"has no support for"*) printf '\n%s\nleft out: %s\n' "$1" "${refusal#hello: }" ;;
	*) demo_carry "$1" ;;
	esac
}

# What runs inside the lab.
demo_tour()
{
	failed=0
	few="--rounds 3 --trips 20 --burst 200"
	[ "${SKIFF_ENGINE-}" != paho ] || few="--rounds 1 --trips 5 --burst 50" # each of its connects takes a second
	unset http_proxy https_proxy # Paho would go through them, even to this machine
	demo_carry "tcp://${SKIFF_LAB_URL_1883#*://}"
	demo_carry "ssl://${SKIFF_LAB_URL_8884#*://}" \
		"SKIFF_CA_FILE=$SKIFF_LAB_CA" "SKIFF_CERT_FILE=$SKIFF_LAB_CERT" "SKIFF_KEY_FILE=$SKIFF_LAB_KEY"
	demo_carry "$SKIFF_LAB_URL_8080"
	demo_carry "$SKIFF_LAB_URL_8081" "SKIFF_CA_FILE=$SKIFF_LAB_WEB_CA"
	demo_carry_where_supported "$SKIFF_LAB_UNIX"
	echo
	# shellcheck disable=SC2086
	"$bin/skiff" compare $few --engine "${SKIFF_ENGINE:-native}" lab || failed=1
	return "$failed"
}

if [ "${1-}" = --inside-lab ]; then
	bin=$2
	demo_tour
	exit
fi
if [ $# -gt 0 ]; then
	setup_say "usage: tools/demo.sh"
	exit 2
fi
setup_need build lab
setup_run "configuring" cmake --preset release
setup_run "building" cmake --build --preset release --target bin/skiff bin/hello
"$bin/skiff" lab --base 0 -- "$PWD/tools/demo.sh" --inside-lab "$bin"
