#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `--dir` keeps certificates, configuration and log, and can be used again; its name may have spaces.
. "$(dirname "$0")/lab_common.sh"

dir="$work/kept here"
for time in first second; do
	"$skiff" lab --base 0 --dir "$dir" -- sh -c 'test "$SKIFF_LAB_DIR" = "$1"' sh "$dir" || fail "the $time time: status $?"
	for file in certs/own-ca.crt certs/client.key mosquitto.conf mosquitto.log; do
		[ -s "$dir/$file" ] || fail "the $time time: no $file"
	done
done
[ "$(stat -c %a "$dir")" = 700 ] || fail "others may enter '$dir'"
