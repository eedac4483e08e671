#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `--as` without a command, with --base, or with what is no host name is refused with one sentence and status 2.
. "$(dirname "$0")/lab_common.sh"

refused()
{
	said=$("$skiff" lab "$@" 2>&1)
	[ $? = 2 ] || fail "'$*': the status is not 2: $said"
	[[ $said = "skiff lab: '--as' "* ]] || fail "'$*' says: $said"
	[ "$(wc -l <<<"$said")" = 1 ] || fail "'$*' says more than one line: $said"
}
refused --as test.mosquitto.org
refused --as test.mosquitto.org --base 5 -- true
refused --as 'two words' -- true
refused --as '' -- true
