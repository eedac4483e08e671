#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A lab that is killed takes the broker and the temporary folder, with its keys, along.
. "$(dirname "$0")/lab_common.sh"

lab_up
kill -KILL "$lab"
wait "$lab" 2>/dev/null
lab=
await "the broker's end" closed "$port"
await "the folder's end" test ! -e "$dir"
