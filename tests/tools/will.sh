#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The will is published when the client is lost, and not after SIGTERM.
. "$(dirname "$0")/common.sh"

start_broker
start_sub -v -t 'will/#'
watcher=$sub received=$stdout
in_background "$SKIFF" sub -b "$url" -i mortal -t a --will-topic will/x --will-payload gone --will-qos 1 --will-retain
await "the mortal's subscription" broker_logged "Sending SUBACK to mortal"
kill -TERM "$pid"
collect "$pid"
await "its DISCONNECT" broker_logged "Received DISCONNECT from mortal"
in_background "$SKIFF" sub -b "$url" -i mortal2 -t a --will-topic will/y --will-payload gone --will-qos 1 --will-retain
await "the mortal's subscription" broker_logged "Sending SUBACK to mortal2"
kill -KILL "$pid"
await "the will" lines_in "$received" 1
[ "$(cat "$received")" = "will/y gone" ] || fail "received '$(cat "$received")'"
run "$SKIFF" sub -b "$url" -t will/y -C 1 -W 10
[ "$out" = gone ] || fail "the will was not retained"
kill "$watcher"

run "$SKIFF" pub -b "$url" -t a -m x --will-payload y
expect 2 "option '--will-payload': a will needs a topic"
run "$SKIFF" pub -b "$url" -t a -m x --will-topic '+'
expect 2 "option '--will-topic'"
