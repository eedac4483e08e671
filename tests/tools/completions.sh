#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scripts of `skiff completion` offer commands, options, their values, files and profiles: as bash calls its function,
# at a TAB in a terminal of bash and of zsh, and as fish is asked; and what is typed for a link to skiff.
. "$(dirname "$0")/common.sh"

bin=$work/bin
mkdir "$bin" "$work/here" "$work/here/dir"
touch "$work/here/file"
ln -s "$SKIFF" "$bin/skiff"
ln -s "$SKIFF" "$bin/mosquitto_pub"
export PATH="$bin:$PATH" SKIFF_CONFIG="$work/config.toml" HOME="$work/here" TERM=dumb
printf '[prod]\n[production]\n["a b"]\n' >"$SKIFF_CONFIG"
cd "$work/here" || exit

# ---- the command ----

for shell in bash zsh fish; do
	run "$SKIFF" completion "$shell"
	expect 0
	[ -n "$out" ] || fail "there is no script for $shell"
	cp "$work/out" "$work/$shell"
done
bash -n "$work/bash" || fail "bash does not read its script"
run "$SKIFF" completion zhs
expect 2 "did you mean 'zsh'?"
run "$SKIFF" completion
expect 2 "a shell is missing"
run "$SKIFF" completion --profiles bash
expect 2 "'--profiles' stands alone"
run "$SKIFF" completion --profiles
expect 0
[ "$out" = $'prod\nproduction\na b' ] || fail "the profiles are '$out'"
SKIFF_CONFIG=$work/none run "$SKIFF" completion --profiles
expect 0
[ -z "$out$err" ] || fail "without a file there is '$out' and '$err'"
echo '[prod' >"$work/broken"
SKIFF_CONFIG=$work/broken run "$SKIFF" completion --profiles
expect 10 "file '$work/broken', line 1: a table's head must end with ]"

# ---- bash, as it calls the function ----

# bash_offers WANTED LINE WORD...: the words are what bash splits the line into
bash_offers()
{
	local wanted=$1
	COMP_LINE=$2
	COMP_POINT=${#2}
	shift 2
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_skiff "$1"
	[[ "${COMPREPLY[*]}" = $wanted ]] || fail "bash, '$COMP_LINE': '${COMPREPLY[*]}', not '$wanted'"
}

COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
. "$work/bash"
commands=$("$SKIFF" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | xargs)
bash_offers "$commands --help --version" "skiff " skiff ""
bash_offers "check compare cert completion" "skiff c" skiff c
bash_offers "show" "skiff cert sh" skiff cert sh
bash_offers "--pem --proxy *" "skiff cert show --p" skiff cert show --p
bash_offers "--qos --quiet" "skiff pub --q" skiff pub --q
bash_offers "--qos" "skiff pub -b mqtt://h -r --qo" skiff pub -b mqtt : //h -r --qo
bash_offers "0 1 2" "skiff pub -q " skiff pub -q ""
bash_offers "0 1 2" "skiff pub --qos=" skiff pub --qos =
bash_offers "1" "skiff pub --qos=1" skiff pub --qos = 1
bash_offers "native paho" "skiff sub --engine " skiff sub --engine ""
bash_offers "@prod @production" "skiff pub @pr" skiff pub @ pr
bash_offers "@prod @production @a\\\\ b" "skiff pub @" skiff pub @
bash_offers "@prod @production @a\\\\ b *--topic*" "skiff pub " skiff pub ""
bash_offers "" "skiff pub -r @" skiff pub -r @
bash_offers "" "skiff cert show @" skiff cert show @
bash_offers "" "skiff pub -t --q" skiff pub -t --q
bash_offers "" "skiff pub -D publish --q" skiff pub -D publish --q
bash_offers "--qos" "skiff pub -D publish a b --qo" skiff pub -D publish a b --qo
bash_offers "file" "skiff pub --cafile f" skiff pub --cafile f
bash_offers "file" "skiff pub --cafile=f" skiff pub --cafile = f
bash_offers "dir" "skiff pub --capath " skiff pub --capath ""
bash_offers "file" "skiff cert show f" skiff cert show f
bash_offers "dir" "skiff cert lab " skiff cert lab ""
bash_offers "lab" "skiff compare l" skiff compare l
bash_offers "check compare cert completion causes" "skiff help c" skiff help c
bash_offers "bash zsh fish" "skiff completion " skiff completion ""
bash_offers "" "skiff nonsense " skiff nonsense ""
bash_offers "--qos --quiet" "mosquitto_pub --q" mosquitto_pub --q
bash_offers "" "mosquitto_pub @" mosquitto_pub @
bash_offers "" "mosquitto_pub --qos=" mosquitto_pub --qos =
COMP_WORDBREAKS=$' \t\n'
bash_offers "--qos=0 --qos=1 --qos=2" "skiff pub --qos=" skiff pub --qos=
bash_offers "@prod @production" "skiff pub @pr" skiff pub @pr
complete -p mosquitto_pub >"$work/out" || fail "the link mosquitto_pub has no completion"
! complete -p mosquitto_sub 2>/dev/null || fail "a mosquitto_sub that is no link to skiff has its completion"

# ---- bash and zsh on a terminal ----

# typed SHELL KEYS LINE: what stands on the command line after the keys, of which \t is the one that completes
typed()
{
	printf '%b\017' "$2" >&9
	shown() { grep -qF "<$3>" "$work/$1.typescript"; }
	awaited shown "$@" || fail "$1: no '$3' for '$2': $(tail -c 300 "$work/$1.typescript")"
	printf '\025' >&9
}

# on_terminal SHELL COMMAND
on_terminal()
{
	mkfifo "$work/$1.keys"
	exec 9<>"$work/$1.keys"
	script -qefc "$2" "$work/$1.typescript" <"$work/$1.keys" >/dev/null 2>&1 9>&- &
	children+=("$!")
	await "the prompt of $1" grep -qs "ready" "$work/$1.typescript"
	typed "$1" 'skiff pu\t' 'skiff pub '
	typed "$1" 'skiff cert sh\t' 'skiff cert show '
	typed "$1" 'skiff pub @produ\t' 'skiff pub @production '
	typed "$1" 'skiff pub --cafile f\t' 'skiff pub --cafile file '
	typed "$1" 'skiff pub --capath d\t' 'skiff pub --capath dir/'
	typed "$1" 'skiff pub --reta\t' 'skiff pub --retain '
	typed "$1" 'skiff pub -V mqttv5\t' 'skiff pub -V mqttv5 '
	typed "$1" 'skiff sub --engine=nat\t' 'skiff sub --engine=native '
	typed "$1" 'mosquitto_pub --prot\t' 'mosquitto_pub --protocol-version '
	exec 9>&-
}

if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	cat >"$work/bashrc" <<-EOF
		. "$work/bash"
		bind -x '"\C-o": printf "<%s>\n" "\$READLINE_LINE"'
		PS1='ready> '
	EOF
	on_terminal bash "bash --rcfile '$work/bashrc' -i"
fi

if command -v zsh >/dev/null; then
	zsh -n "$work/zsh" || fail "zsh does not read its script"
	mkdir "$work/zsh.d"
	cp "$work/zsh" "$work/zsh.d/_skiff"
	cat >"$work/zsh.d/.zshrc" <<-EOF
		fpath=("$work/zsh.d" \$fpath)
		autoload -Uz compinit
		compinit -u -D
		show() { print -r -- "<\$BUFFER>" }
		zle -N show
		bindkey -e
		bindkey '^O' show
		PS1='ready> '
	EOF
	on_terminal zsh "ZDOTDIR='$work/zsh.d' zsh -d -i"
fi

# ---- fish, asked ----

# fish_offers WANTED LINE
fish_offers()
{
	local wanted=$1
	run fish --no-config -c "source '$work/fish'; complete -C '$2'"
	expect 0
	[ -z "$err" ] || fail "fish says '$err'"
	out=$(cut -f 1 "$work/out" | xargs)
	[[ $out = $wanted ]] || fail "fish, '$2': '$out', not '$wanted'"
}

if command -v fish >/dev/null; then
	fish_offers "$(tr ' ' '\n' <<<"$commands" | sort | xargs)" "skiff "
	fish_offers "show" "skiff cert sh"
	fish_offers "--qos --quiet" "skiff pub --q"
	fish_offers "0 1 2" "skiff pub -q "
	fish_offers "--qos=0 --qos=1 --qos=2" "skiff pub --qos="
	fish_offers "@prod @production" "skiff pub @pr"
	fish_offers "" "skiff pub -r @pr"
	fish_offers "file" "skiff pub --cafile f"
	fish_offers "dir/" "skiff pub --capath d"
	fish_offers "file" "skiff cert show f"
	fish_offers "--qos --quiet" "mosquitto_pub --q"
	fish_offers "" "mosquitto_sub --q"
fi
