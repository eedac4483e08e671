# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# awaited.sh: the one wait of the tests that are scripts; to be sourced.
#
#   awaited COMMAND...   whether COMMAND succeeds within 20 seconds
#
# What is waited for happens in another program, which tells nobody: a port opens, a line comes into its log. So it is
# asked again and again, twenty times a second. What a test itself starts and ends it waits for by `wait`.

awaited()
{
	local _
	for _ in $(seq 400); do
		"$@" && return
		sleep 0.05
	done
	return 1
}
