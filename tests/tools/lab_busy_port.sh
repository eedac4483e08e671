#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A port that is taken is named in one sentence, with a way out, and nothing is left running.
. "$(dirname "$0")/lab_common.sh"

lab_up
taken=$(printf '%s\n' "$table" | sed 's/.*{"port":8887,"listens":\([0-9]*\).*/\1/')
said=$("$skiff" lab --base $((taken - 8887)) -- true 2>&1)
[ $? = 1 ] || fail "the status is not 1: $said"
[[ $said =~ ^"skiff lab: port "[0-9]+" is busy; ".*"--base 0".*$ ]] || fail "says: $said"
[ "$(wc -l <<<"$said")" = 1 ] || fail "says more than one line: $said"
[ "$(ls "$work")" = "$(basename "$dir")"$'\n'stderr ] || fail "left behind: $(ls "$work")"
