#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff pub @NAME` takes the options of that table of config.toml, and of the table it inherits, before those of the line,
# which win; what it does not need of them it leaves; a fault names file and line; a password there is used and not shown.
. "$(dirname "$0")/common.sh"

mosquitto_passwd -c -b "$work/passwords" me c4n4ry 2>/dev/null || skip "mosquitto_passwd is not installed"
chmod 644 "$work/passwords"
start_broker "listener PORT 127.0.0.1" "password_file $work/passwords"
export XDG_CONFIG_HOME="$work/config"
file=$XDG_CONFIG_HOME/skiff/config.toml
mkdir -p "${file%/*}"

# config LINE...: the file, which nobody else can read
config()
{
	printf '%s\n' "$@" >"$file"
	chmod 600 "$file"
}

config "[base]" "broker = '$url'" "username = 'me'" "pw = \"c4n4\\u0072y\"" "retain = true" "qos = 1" \
	"[prod] # ours" "inherits = \"base\"" "topic = 'hall'" "id = 'prod'" "debug = true" \
	"[both]" "inherits = 'prod'" "topic = ['hall', 'yard']" "id = 'both'" "debug = false"

run "$SKIFF" pub @prod -m "two words"
expect 0 "received CONNACK (0)"
[[ $err != *c4n4ry* ]] || fail "the password is shown"
await "the message" broker_logged "Received PUBLISH from prod (d0, q1, r1, m1, 'hall'"
run "$SKIFF" pub @prod -m x -q 2 -i mine
expect 0
await "the options of the line" broker_logged "Received PUBLISH from mine (d0, q2, r1, m1, 'hall'"
run "$SKIFF" pub @base -m y -t yard
expect 0
# --retain is pub's; sub leaves it
run "$SKIFF" sub @both -v -C 2 -W 10
expect 0
[[ $err != *CONNACK* ]] || fail "debug = false, and there is the log"
[ "$(sort <<<"$out")" = $'hall x\nyard y' ] || fail "sub prints '$out'"

chmod 640 "$file"
run "$SKIFF" pub @prod -m x
expect 0 "file '$file' holds a secret and may be read by others; 'chmod 600' it"
run "$SKIFF" pub @prod -m x --quiet
expect 0
[[ $err != *"may be read"* ]] || fail "--quiet says: $err"

# ---- faults ----

run "$SKIFF" pub @pord -m x
expect 2 "profile 'pord': is not in file '$file'; did you mean 'prod'? it has base, prod and both"
config "[prod]" "" "qos = 7"
run "$SKIFF" pub @prod -t a -m x
expect 2 "file '$file', line 3: option '--qos': '7' is not 0, 1 or 2"
config "[prod]" "no-such-option = true"
run "$SKIFF" pub @prod -t a -m x
expect 2 "file '$file', line 2: option '--no-such-option': unknown"
config "[prod]" "pw = c4n4ry"
run "$SKIFF" pub @prod -t a -m x
expect 10 "file '$file', line 2: key 'pw': its value is missing, or a text that is not in quotes"
[[ $err != *c4n4ry* ]] || fail "the password is shown"
SKIFF_CONFIG=$work/none run "$SKIFF" pub @prod -t a -m x
expect 10 "profile 'prod': there is no file '$work/none'; write [prod]"

# ---- where to: the command line counts, in whatever words ----

free_port
config "[me]" "username = 'me'" "pw = 'c4n4ry'" \
	"[url]" "inherits = 'me'" "broker = 'mqtt://127.0.0.1:$port'" \
	"[host]" "inherits = 'me'" "host = '127.0.0.1'" "port = $port"
run "$SKIFF" pub @url -h 127.0.0.1 -p "${url##*:}" -t yard -m z
expect 0
run "$SKIFF" pub @host -b "$url" -t yard -m z
expect 0
run "$SKIFF" pub @url -p 1 -t yard -m z
expect 2 "option '--port': excludes '--broker'"
run "$SKIFF" pub @host -t yard -m z
expect 12
