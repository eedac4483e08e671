# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# setup.sh: what the scripts that build skiff share; to be sourced. It knows what is needed for which purpose, how to
# see whether it is there, and what the package is called on each system.
#
#   setup_need build lab     makes sure of both purposes, or says what is missing and exits 1
#   setup_say TEXT...        a line for the person who watches
#   setup_run NAME CMD...    runs CMD: in full view on a terminal, else into a log that is shown if it fails
#
# What is there is not asked of the package manager but probed, so a second run costs nothing and a library built by
# hand counts. apt-get starts no service on the way: a policy that forbids it stands while it works.

# purpose | probe | Debian and Ubuntu | Fedora | Arch | Alpine | macOS (Homebrew)
setup_table='
build | program C                   | gcc libc6-dev          | gcc                     | gcc           | build-base        | -
build | command cmake               | cmake                  | cmake                   | cmake         | cmake             | cmake
build | command ninja               | ninja-build            | ninja-build             | ninja         | samurai           | ninja
build | command pkg-config          | pkg-config             | pkgconf-pkg-config      | pkgconf       | pkgconf           | pkgconf
build | module openssl              | libssl-dev             | openssl-devel           | openssl       | openssl-dev       | openssl@3
build | module libuv                | libuv1-dev             | libuv-devel             | libuv         | libuv-dev         | libuv
build | module libwebsockets        | libwebsockets-dev      | libwebsockets-devel     | libwebsockets | libwebsockets-dev | libwebsockets
build | module libcjson             | libcjson-dev           | cjson-devel             | cjson         | cjson-dev         | cjson
build | header MQTTAsync.h          | libpaho-mqtt-dev       | paho-c-devel            | paho-mqtt-c   | paho-mqtt-c-dev   | libpaho-mqtt
lab   | command mosquitto           | mosquitto              | mosquitto               | mosquitto     | mosquitto         | mosquitto
lab   | command openssl             | openssl                | openssl                 | openssl       | openssl           | openssl@3
test  | module cmocka               | libcmocka-dev          | libcmocka-devel         | cmocka        | cmocka-dev        | cmocka
test  | command mosquitto_pub       | mosquitto-clients      | mosquitto               | mosquitto     | mosquitto-clients | mosquitto
test  | file /etc/hosts             | netbase                | setup                   | filesystem    | alpine-baselayout | -
test  | command ejabberdctl         | ejabberd               | ejabberd                | ejabberd      | ejabberd          | ejabberd
test  | command nats-server         | nats-server            | -                       | nats-server   | nats-server       | nats-server
test  | file /usr/lib/rabbitmq/bin/rabbitmq-server | rabbitmq-server | - | -             | -                 | -
test  | command curl                | curl                   | curl                    | curl          | curl              | curl
test  | command tinyproxy           | tinyproxy-bin          | tinyproxy               | tinyproxy     | tinyproxy         | tinyproxy
test  | command microsocks          | microsocks             | -                       | microsocks    | microsocks        | microsocks
test  | command softhsm2-util       | softhsm2               | softhsm                 | softhsm       | softhsm           | softhsm
test  | command pkcs11-tool         | opensc                 | opensc                  | opensc        | opensc            | opensc
test  | engine pkcs11               | libengine-pkcs11-openssl | openssl-pkcs11        | libp11        | libp11            | libp11
test  | command python3             | python3                | python3                 | python        | python3           | python
test  | command jq                  | jq                     | jq                      | jq            | jq                | jq
test  | command tmux                | tmux                   | tmux                    | tmux          | tmux              | tmux
test  | command dnsmasq             | dnsmasq-base           | dnsmasq                 | dnsmasq       | dnsmasq           | -
test  | command jsonschema          | python3-jsonschema     | python3-jsonschema      | python-jsonschema | py3-jsonschema | -
test  | command chromium            | chromium               | chromium                | chromium      | chromium          | -
test  | command zsh                 | zsh                    | zsh                     | zsh           | zsh               | zsh
test  | command fish                | fish                   | fish                    | fish          | fish              | fish
test  | command valgrind            | valgrind               | valgrind                | valgrind      | valgrind          | -
bench | header mosquitto.h          | libmosquitto-dev       | mosquitto-devel         | mosquitto     | mosquitto-dev     | mosquitto
bench | command strace              | strace                 | strace                  | strace        | strace            | -
fuzz  | command clang               | clang                  | clang                   | clang         | clang             | llvm
fuzz  | runtime fuzzer              | libclang-rt-dev        | compiler-rt             | compiler-rt   | compiler-rt       | llvm
'

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

setup_say()
{
	printf '%s\n' "$*" >&2
}

setup_run()
{
	name=$1
	shift
	if [ -t 1 ]; then
		setup_say "== $name"
		"$@"
		return
	fi
	setup_say "$name ..."
	log=$(mktemp)
	status=0
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [ "$status" -ne 0 ]; then
		grep -v '^\[[0-9]*/[0-9]*\]' "$log" >&2 || true
		setup_say "failed: $*"
	fi
	rm -f "$log"
	return "$status"
}

# Which column of the table is this system's; 0: none of them.
setup_column()
{
	ids=$(uname -s)
	if [ -r /etc/os-release ]; then
		# shellcheck disable=SC1091
		ids=$(. /etc/os-release && echo "$ID ${ID_LIKE-}")
	fi
	case " $ids " in
	*" debian "* | *" ubuntu "*) echo 3 ;;
	*" fedora "* | *" rhel "*) echo 4 ;;
	*" arch "*) echo 5 ;;
	*" alpine "*) echo 6 ;;
	*" Darwin "*) echo 7 ;;
	*) echo 0 ;;
	esac
}

setup_there()
{
	case $1 in
	command) command -v "$2" >/dev/null ;;
	module) command -v pkg-config >/dev/null && pkg-config --exists "$2" ;;
	file) [ -e "$2" ] ;;
	engine) command -v openssl >/dev/null && openssl engine "$2" >/dev/null 2>&1 ;;
	header) echo "#include <$2>" | cc -xc -fsyntax-only - 2>/dev/null ;;
	program) echo '#include <stdio.h>' | cc -xc -fsyntax-only - 2>/dev/null ;;
	runtime) echo 'int LLVMFuzzerTestOneInput(void){return 0;}' | clang "-fsanitize=$2" -xc - -o /dev/null 2>/dev/null ;;
	esac
}

# The rows of the purposes given, as "probe argument names", the names being those of column $1 or, for 0, the argument.
setup_rows()
{
	column=$1
	shift
	echo "$setup_table" | awk -F ' *[|] *' -v column="$column" -v purposes=" $* " '
		NF > 1 && index(purposes, " " $1 " ") {
			split($2, probe, " ")
			print $2, column ? $column : probe[2]
		}'
}

# The names of what the purposes after column $1 lack, on one line.
setup_missing()
{
	setup_rows "$@" | while read -r probe argument names; do
		setup_there "$probe" "$argument" || echo "$names"
	done | tr ' ' '\n' | awk '$0 != "-" && !seen[$0]++' | xargs
}

# Keeps every package that apt-get unpacks from starting its service, unless the machine has such a policy already.
setup_policy='policy=/usr/sbin/policy-rc.d
trap "exit 1" INT TERM
if [ ! -e "$policy" ]; then
	trap "rm -f $policy" EXIT
	printf "#!/bin/sh\nexit 101\n" >"$policy"
	chmod 755 "$policy"
fi
apt-get -o DPkg::Lock::Timeout=60 update
apt-get -o DPkg::Lock::Timeout=60 install -y --no-install-recommends "$@"'

setup_apt()
{
	if [ "$(id -u)" -eq 0 ]; then
		become=
	elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ]; }; }; then
		become=sudo
	else
		return 1
	fi
	setup_say "installing, without starting any service: $*"
	# shellcheck disable=SC2086
	setup_run "apt-get" $become env DEBIAN_FRONTEND=noninteractive sh -c "$setup_policy" setup "$@" || return
	for service in mosquitto ejabberd nats-server; do
		case " $* " in
		*" $service "*) setup_say "to keep $service from starting with the machine: systemctl disable $service" ;;
		esac
	done
}

setup_need()
{
	column=$(setup_column)
	missing=$(setup_missing "$column" "$@")
	[ -n "$missing" ] || return 0
	case $column in
	3)
		line="apt-get update && apt-get install -y --no-install-recommends $missing"
		# shellcheck disable=SC2086
		if command -v apt-get >/dev/null && setup_apt $missing; then
			missing=$(setup_missing "$column" "$@")
			[ -n "$missing" ] || return 0
			setup_say "still missing after installing: $missing"
			exit 1
		fi
		;;
	4) line="dnf install $missing" ;;
	5) line="pacman -S --needed $missing" ;;
	6) line="apk add $missing" ;;
	7) line="brew install $missing" ;;
	*) line="(no package names known for this system) what is missing: $missing" ;;
	esac
	setup_say "some packages are missing; run this as root, then try again:"
	setup_say "  $line"
	exit 1
}
