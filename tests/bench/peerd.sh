# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# peerd.sh: the far end for the scripts here; to be sourced.
#
#   peerd_start BIN [-s | -l]    starts BIN/peerd on a processor of its own where there is one; it ends with the script
#   peerd_port SCHEME            where it listens
#
# Sets $work, a folder that goes with the script, and exports CA, the certificate to trust.

peerd_id=
work=$(mktemp -d)
peerd_finish()
{
	[ -z "$peerd_id" ] || kill "$peerd_id" 2>/dev/null || true
	rm -rf "$work"
}
trap peerd_finish EXIT
trap 'exit 1' INT TERM

# pinned CPU COMMAND...: in its place, on that processor where that can be chosen
pinned()
{
	cpu=$1
	shift
	if command -v taskset >/dev/null && taskset -c "$cpu" true 2>/dev/null; then
		exec taskset -c "$cpu" "$@"
	fi
	exec "$@"
}

peerd_certificates()
{
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=bench-ca -keyout ca.key -out ca.crt 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr 2>/dev/null
	echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >names
	openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt \
		2>/dev/null
}

peerd_start()
{
	(cd "$work" && peerd_certificates)
	CA=$work/ca.crt
	export CA
	mkfifo "$work/ports.fifo" "$work/stdin"
	# shellcheck disable=SC2086
	pinned 1 "$1/peerd" ${2-} "$work/server.crt" "$work/server.key" <"$work/stdin" >"$work/ports.fifo" &
	peerd_id=$!
	exec 9>"$work/stdin"
	head -n 1 "$work/ports.fifo" >"$work/ports"
}

peerd_port()
{
	sed "s/.*\b$1 \([0-9]*\).*/\1/" "$work/ports"
}
