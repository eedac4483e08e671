#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Input that cannot be a message is refused with its own exit code and a sentence, before anything is connected.
. "$(dirname "$0")/common.sh"

free_port
run "$SKIFF" pub -b "mqtt://127.0.0.1:$port" -t a -f "$work/missing"
expect 10 "skiff pub: file '$work/missing': cannot be read: No such file or directory"
run "$SKIFF" pub -b "mqtt://127.0.0.1:$port" -t a -f "$work"
expect 10 "Is a directory"
truncate -s 268435456 "$work/huge"
run "$SKIFF" pub -b "mqtt://127.0.0.1:$port" -t a -f "$work/huge"
expect 10 "holds more than the 268435455 bytes allowed"
run "$SKIFF" pub -b "mqtt://127.0.0.1:$port" -t a -s <&-
expect 10 "file 'standard input': cannot be read"
