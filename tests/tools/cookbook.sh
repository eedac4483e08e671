#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/cookbook.md: every line is run as written, in a lab, and does what its heading says. A heading without a check here
# fails; so does a line that the README has and the page has not.
#
# A check is a function named after its heading. It finds the heading's line in $line, and runs it by
#
#   runs                  to its end: $out, $err, $code
#   starts                in the background, in a group of its own ($pid): $stdout, $stderr
#   watches FILTER        as `starts`, and returns once the line's subscription stands
#   hears FILTER          a subscriber beside the line: $heard
if [ -z "${SKIFF_LAB_DIR-}" ]; then
	command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || { echo "skipped: mosquitto is not installed" >&2; exit 77; }
	command -v jq >/dev/null || { echo "skipped: jq is not installed" >&2; exit 77; }
	exec "$SKIFF" lab --base 0 -- bash "$0"
fi
. "$(dirname "$0")/common.sh"
pages=$(cd "$(dirname "$0")/../../docs" && pwd)
page=$pages/cookbook.md
cd "$work" || exit 1
PATH=$(dirname "$SKIFF"):$PATH:/usr/sbin
export HOME=$work
unset XDG_CONFIG_HOME http_proxy https_proxy all_proxy no_proxy
set -m # a group for each that runs in the background

runs() { run timeout 60 bash -c "$line" </dev/null; }
starts() { in_background bash -c "$line" </dev/null; }

# The broker sends what it keeps once a subscription stands: a mark of our own is published until it comes through.
marks()
{
	skiff pub -t "$1" -m mark
	[ -s "$2" ]
}

watches()
{
	starts
	await "the subscription" marks "${1/\#/mark}" "$stdout"
	alive "$pid" || fail "it ended: $(cat "$stderr")"
}

hears()
{
	in_background skiff sub -t "$1" -t "mark/$BASHPID/$line_number" -v -q 1
	heard=$stdout
	await "a subscription" marks "mark/$BASHPID/$line_number" "$heard"
}

has() { grep -qF -- "$2" "$1"; }
heard() { await "'$1' at a subscriber" has "$heard" "$1"; }
printed() { await "'$1'" has "$stdout" "$1"; }

# Ctrl-C for the line's whole group
interrupt()
{
	kill -INT -- "-$pid"
	collect "$pid"
}

publishes()
{
	local topic=$1 said=$2
	hears "$topic"
	runs
	expect 0
	heard "$topic $said"
}

publish_a_text() { publishes sensors/hall 21.5; }
publish_a_file_as_one_message() { publishes site/os "$(head -n 1 /etc/os-release)"; }
publish_each_line_that_a_program_prints() { publishes site/disks Filesystem; }

have_the_broker_keep_the_newest_value()
{
	runs
	expect 0
	[ "$(skiff sub -t sensors/roof -C 1 -W 10 --retained-only)" = 17 ] || fail "it is not kept"
}

publish_lines_that_begin_with_their_topic()
{
	hears 'sensors/#'
	runs
	expect 0
	heard "sensors/hall 21.5"
	heard "sensors/roof 17"
}

publish_100_messages_a_second_from_a_file()
{
	local lines began
	lines=$(grep -c '' /etc/services)
	hears load/lines
	began=$(date +%s%N)
	runs
	expect 0
	took=$((($(date +%s%N) - began) / 1000000))
	await "each line" lines_in "$heard" $((lines + 1))
	[ "$took" -ge $((lines * 9)) ] || fail "$lines lines took only $took ms"
}

publish_bytes_given_in_hex()
{
	in_background skiff sub -t raw/bytes -N
	await "the subscription" marks raw/bytes "$stdout"
	runs
	expect 0
	await "the bytes" ends_in_bytes "$stdout"
}
ends_in_bytes() { [ "$(tail -c 3 "$1" | od -An -tx1)" = " 00 ff 10" ]; }
publish_bytes_given_in_base64() { publish_bytes_given_in_hex; }

watch_topics_with_timestamps()
{
	watches 'sensors/#'
	skiff pub -t sensors/a/b -m 'two words'
	await "the message" grep -q "^$(date +%Y)-[0-9-]*T[0-9:]*[+-][0-9]* sensors/a/b two words$" "$stdout"
}

get_the_newest_value_of_a_topic()
{
	skiff pub -t sensors/roof -m 18 -r
	runs
	expect 0
	[ "$out" = 18 ] || fail "printed '$out'"
}

stop_after_10_messages_or_2_seconds()
{
	runs
	[[ $out = *"ended with 27" ]] || fail "printed '$out'"
	watches 'sensors/#'
	seq 20 | skiff pub -t sensors/hall -l
	wait "$pid"
	printed "ended with 0"
	[ "$(wc -l <"$stdout")" = 11 ] || fail "printed $(cat "$stdout")"
}

# Messages from before the line begins until after it has ended: ten a second.
count_messages_for_three_seconds()
{
	starts
	skiff pub -t count/me -m x --repeat 40 --repeat-delay 0.1
	wait "$pid"
	counted=$(tail -n 1 "$stdout")
	[ "$counted" -ge 10 ] && [ "$counted" -le 60 ] || fail "counted $counted"
}

see_bytes_in_hex()
{
	watches raw/bytes
	skiff pub -t raw/bytes --decode hex -m 00ff10
	printed 00ff10
}

save_each_payload_to_a_file_of_its_own()
{
	watches 'camera/#'
	skiff pub -t camera/door --decode base64 -m AP8Q
	await "a second name" grep -q door "$stdout"
	ends_in_bytes "$(ls -t pictures/*door* | head -n 1)" || fail "another payload in $(ls pictures)"
}

pick_from_messages_with_a_json_tool()
{
	watches 'sensors/#'
	skiff pub -t sensors/yard -m 9.5
	printed "sensors/yard = 9.5"
}

miss_nothing_while_away()
{
	starts
	await "the subscription" marks orders/1 orders.log
	interrupt
	[ "$code" = 130 ] || fail "Ctrl-C ended it with $code"
	skiff pub -t orders/2 -m "while away" -q 1
	starts
	await "what came meanwhile" has orders.log "while away"
	interrupt
}

list_what_is_retained_below_a_topic()
{
	skiff pub -t old/a -m 1 -r
	skiff pub -t old/b/c -m 2 -r
	runs
	expect 27
	[ "$(sort <<<"$out")" = $'old/a 1\nold/b/c 2' ] || fail "printed '$out'"
}

clear_what_is_retained_below_a_topic()
{
	skiff pub -t old/a -m 1 -r
	runs
	[[ $out = *"forgot old/a"* ]] || fail "printed '$out'"
	run skiff sub -t 'old/#' -C 1 -W 1
	expect 27
}

say_when_this_client_is_lost()
{
	hears status/viewer
	watches 'sensors/#'
	kill -KILL -- "-$pid"
	wait "$pid" 2>/dev/null
	heard "status/viewer lost"
}

send_a_request_and_wait_five_seconds_for_the_response()
{
	in_background skiff sub -t lamp/get -F '%R %D %p'
	answerer=$stdout
	skiff pub -t lamp/get -m nobody
	await "the subscription" marks lamp/get "$answerer"
	starts
	await "the request" grep -q ' state$' "$answerer"
	read -r response correlation _ < <(grep ' state$' "$answerer")
	skiff pub -t "$response" -m "it is on" ${correlation:+-D publish correlation-data "$correlation"}
	wait "$pid" || fail "ended with $?: $(cat "$stderr")"
	printed "it is on"
}

record_what_comes_for_three_seconds()
{
	starts
	skiff pub -t sensors/tick -m tock --repeat 40 --repeat-delay 0.1
	wait "$pid"
	[ "$(jq -r 'select(.topic == "sensors/tick") | .payload' capture.ndjson | sort | uniq -c | awk '{print ($1 > 9) $2}')" = 1tock ] ||
		fail "recorded: $(cat capture.ndjson)"
}

# replays SHORTEST LONGEST: a capture of two seconds
replays()
{
	printf '%s\n' '{"schema":"skiff.message/1","time":"2026-01-01T10:00:00.000000000Z","topic":"again/a","qos":0,"retain":false,"payload":"first"}' \
		'{"schema":"skiff.message/1","time":"2026-01-01T10:00:02.000000000Z","topic":"again/b","qos":1,"retain":false,"payload_base64":"YQBi"}' >capture.ndjson
	hears 'again/#'
	local began took
	began=$(date +%s%N)
	runs
	took=$((($(date +%s%N) - began) / 1000000))
	expect 0
	heard "again/a first"
	heard "again/b a"
	[ "$took" -ge "$1" ] && [ "$took" -le "$2" ] || fail "it took $took ms"
}
replay_a_capture_at_the_pace_it_had() { replays 1950 20000; }
replay_a_capture_ten_times_as_fast() { replays 190 1900; }

# The lab's door 8081 asks for no certificate: one that does stands in its place.
pipe_sensor_lines_over_wss_with_a_client_certificate()
{
	# mosquitto 2.0 does not start with listeners for WebSocket alone
	start_broker "listener 0 $work/sock" "listener PORT 127.0.0.1" "socket_domain ipv4" "protocol websockets" \
		"allow_anonymous true" "require_certificate true" \
		"cafile $SKIFF_LAB_CA" "certfile $SKIFF_LAB_DIR/certs/server.crt" "keyfile $SKIFF_LAB_DIR/certs/server.key"
	runs
	expect 0
	SKIFF_LAB_WEB_CA=$SKIFF_LAB_CA SKIFF_LAB_URL_8081=wss://127.0.0.1:$port/mqtt runs
	expect 0
	await "the last line" broker_logged "Received PUBLISH from .*'sensors/cellar', ... (2 bytes)"
	[ "$(grep -c "Received PUBLISH from .*'sensors/cellar'" "$work/broker.log")" = 4 ] || fail "not four lines came"
}

# The gate: a server that takes one request, and keeps it.
give_a_websocket_its_path_and_a_header()
{
	publishes sensors/hall 21.5
	in_background python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
print(s.accept()[0].recv(4096).decode(), flush=True)'
	local gate=$stdout
	await "the gate" test -s "$gate"
	SKIFF_LAB_URL_8080=ws://127.0.0.1:$(head -n 1 "$gate")/mqtt runs
	expect 15
	grep -q '^GET /gate ' "$gate" || fail "another path: $(cat "$gate")"
	grep -qi '^Authorization: *Bearer abc' "$gate" || fail "no header: $(cat "$gate")"
}

keep_the_password_off_the_command_line()
{
	printf 'readwrite\n' >password
	chmod 600 password
	runs
	expect 0
	echo wrong >password
	runs
	expect 16
}

keep_a_brokers_options_in_a_profile()
{
	mkdir -p .config/skiff
	awk '/^```$/{on=0} on{print} /^```toml$/{on=1}' "$page" >example
	grep -q 'mqtts://127.0.0.1:18885' example || fail "the example has another broker"
	sed "s,mqtts://127.0.0.1:18885,mqtts://${SKIFF_LAB_URL_8885#*@},; s,/etc/ssl/home-ca.crt,$SKIFF_LAB_CA," example >.config/skiff/config.toml
	chmod 600 .config/skiff/config.toml
	runs
	expect 0
	[ -z "$err" ] || fail "it said '$err'"
	rm .config/skiff/config.toml
	runs
	expect 10
}

reach_a_broker_behind_a_proxy()
{
	command -v tinyproxy >/dev/null || skip "tinyproxy is not installed"
	free_port
	printf 'Port %s\nListen 127.0.0.1\nLogFile "%s"\nLogLevel Connect\n' "$port" "$work/proxy.log" >proxy.conf
	in_background tinyproxy -d -c proxy.conf
	await "the proxy" listens "$port"
	export http_proxy=http://127.0.0.1:$port
	publishes sensors/hall 21.5
	unset http_proxy
	await "the request at the proxy" has proxy.log "CONNECT ${SKIFF_BROKER#mqtt://}"
}

connect_to_an_address_that_dns_does_not_have_yet() { publishes sensors/hall 21.5; }

find_out_why_it_does_not_connect()
{
	runs
	expect 14 "tls-expired"
	expect 14 "What to do:"
}

# ---- the page, line by line ----

# Its headings and lines: HEADING|LINE
awk '/^###? /{heading=substr($0, index($0, " ") + 1)} /^```$/{on=0} on{print heading "|" $0} /^```sh$/{on=1}' "$page" >lines
[ "$(wc -l <lines)" -ge 25 ] || fail "the page has only $(wc -l <lines) lines"
[ "$(head -n 1 lines)" = '|export SKIFF_BROKER=$SKIFF_LAB_URL_1883' ] || fail "the page does not begin with its broker"
[ -z "$(cut -d'|' -f1 lines | sort | uniq -d)" ] || fail "a heading has two lines: $(cut -d'|' -f1 lines | sort | uniq -d)"
[ "$(grep -c '^### ' "$page")" = "$(tail -n +2 lines | wc -l)" ] || fail "a heading has no line, or a line no heading"
eval "$(head -n 1 lines | cut -d'|' -f2-)"
export SKIFF_BROKER
line_number=0
while IFS='|' read -r heading line <&8; do
	line_number=$((line_number + 1))
	task=$(tr 'A-Z ' 'a-z_' <<<"$heading" | tr -cd 'a-z0-9_')
	[ "$(type -t "$task")" = function ] || fail "'$heading' has no check here"
	echo "$heading: $line"
	"$task"
	for pid in "${children[@]}"; do
		kill -KILL -- "-$pid"
		wait "$pid"
	done 2>/dev/null
	children=()
done 8< <(tail -n +2 lines)

# The README's lines are lines of the page.
sed -n '/^## Ten usual tasks/,/^## /s/^    //p' "$pages/../README.md" >ten
[ "$(wc -l <ten)" = 10 ] || fail "the README has $(wc -l <ten) usual tasks, not ten"
while IFS= read -r line; do
	cut -d'|' -f2- lines | grep -qxF -- "$(sed 's/ *  # .*//' <<<"$line")" || fail "the page lacks the README's: $line"
done <ten
