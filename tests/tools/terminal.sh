#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command in a real terminal, which tmux is: what it shows there and not in a pipe, what comes and goes on stderr, how
# keys and the terminal's going end it.
. "$(dirname "$0")/common.sh"

command -v tmux >/dev/null || skip "tmux is not installed"
script -qec true /dev/null >/dev/null 2>&1 </dev/null || skip "no terminal can be made here"
mosquitto_passwd -c -b "$work/passwords" me c4n4ry 2>/dev/null || skip "mosquitto_passwd is not installed"
chmod 644 "$work/passwords"
start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "password_file $work/passwords"
export SKIFF_BROKER=$url

# each a server of its own: one that ends may still be there when the next begins
terminals=0
terminal() { env -u TMUX tmux -S "$work/tmux.$terminals" -f /dev/null "$@"; }
trap 'terminal kill-server 2>/dev/null; leave' EXIT

# shows TEXT, hides TEXT: whether it is on the screen now; -e: escape sequences of colours count
screen() { terminal capture-pane -p -t it "$@"; }
shows() { screen | grep -qF -- "$1"; }
hides() { ! shows "$1"; }
coloured() { screen -e | grep -qF -- "$1"; }
awaits() { await "'$1' on the screen; there is: $(screen)" shows "$1"; }

# in_terminal LINE: a shell there, in an empty window of 100 columns, takes this line
in_terminal()
{
	terminal kill-server 2>/dev/null
	terminals=$((terminals + 1))
	terminal new-session -d -s it -x 100 -y 24 "env PS1='ready> ' TERM=screen PATH='$(dirname "$SKIFF"):$PATH' bash --norc" ||
		fail "tmux does not start"
	await "the shell" shows 'ready>'
	subscribed=$(grep -c "Sending SUBACK" "$work/broker.log")
	keys "$1" Enter
}
keys() { terminal send-keys -t it "$@"; }
stands() { [ "$(grep -c "Sending SUBACK" "$work/broker.log")" -gt "$subscribed" ]; }

# ---- Ctrl-C, colours and escapes ----

in_terminal 'skiff sub -t a -v; echo "code:$?"'
await "the subscription" stands
"$SKIFF" pub -t a -m $'\033[2Jevil'
awaits 'a \x1b[2Jevil'
coloured $'\033[36ma' || fail "the topic has no colour: $(screen -e)"
keys C-c
awaits 'code:130'
await "the DISCONNECT" broker_logged "Received DISCONNECT"

in_terminal 'skiff sub -t a -v -C 1 | od -c | head -n 3'
await "the subscription" stands
"$SKIFF" pub -t a -m $'\033[31mevil'
awaits 'a     033   [   3   1   m   e   v   i   l'

in_terminal 'skiff sub -t a -v --raw'
await "the subscription" stands
"$SKIFF" pub -t a -m $'\033[31mevil'
await "the colour of a stranger" coloured $'\033[31mevil'
hides '\x1b' || fail "--raw escapes: $(screen)"

# ---- the line on stderr that comes and goes ----

seq 400 >"$work/input"
in_terminal "skiff pub -t a -l --rate 100 <$work/input; echo code:\$?"
awaits '% '
awaits ' messages, '
awaits 'code:0'
hides ' messages, ' || fail "the bar stays: $(screen)"

in_terminal "skiff sub -t b >$work/messages; echo code:\$?"
await "the subscription" stands
seq 20 | "$SKIFF" pub -t b -l
awaits '20 messages, '
keys C-c
awaits 'code:130'
hides '20 messages, ' || fail "the rate stays: $(screen)"
[ "$(wc -l <"$work/messages")" = 20 ] || fail "the file has $(wc -l <"$work/messages") lines"

in_terminal "skiff sub -t b -C 1 >$work/messages 2>$work/stderr; echo code:\$?"
await "the subscription" stands
"$SKIFF" pub -t b -m x
awaits 'code:0'
[ ! -s "$work/stderr" ] || fail "a file gets the line: $(cat "$work/stderr")"

# ---- --watch ----

in_terminal "skiff sub -t 'w/#' --watch -v"
await "the subscription" stands
"$SKIFF" pub -t w/first -m one
"$SKIFF" pub -t w/second -m two
awaits 'w/second two'
at=$(screen | grep -n 'w/first one' | cut -d: -f1)
"$SKIFF" pub -t w/first -m three
awaits 'w/first three'
hides 'w/first one' || fail "the old value stays: $(screen)"
[ "$(screen | grep -n 'w/first three' | cut -d: -f1)" = "$at" ] || fail "the topic left its line: $(screen)"
shows 'w/second two' || fail "the other topic has gone: $(screen)"

# ---- a password, and the end of the terminal ----

in_terminal 'skiff pub -t a -m x -u me --pw-ask; echo "code:$?"'
awaits 'Password:'
keys c4n4ry
keys Enter
awaits 'code:0'
hides c4n4ry || fail "the password is shown: $(screen)"
keys 'echo se''en' Enter
awaits 'seen'

in_terminal "sh -c 'echo \$\$ >$work/pid; exec skiff sub -t a -i watcher'"
await "the subscription" stands
terminal kill-session -t it
gone() { ! alive "$(cat "$work/pid")"; }
await "the end of sub" gone
await "its DISCONNECT" broker_logged "Received DISCONNECT from watcher"
