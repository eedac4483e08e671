# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# network_common.sh: common.sh in a network namespace of the test's own, with a name server of its own; to be sourced.
#
#   name_server [OPTION]...     the system's resolver asks 127.0.0.1, with these options of resolv.conf
PATH=$PATH:/usr/sbin:/sbin
if [ -z "${OWN_NETWORK-}" ] && unshare --user --map-root-user --net --mount true 2>/dev/null; then
	OWN_NETWORK=1 exec unshare --user --map-root-user --net --mount bash "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ -n "${OWN_NETWORK-}" ] || skip "no namespaces for users here"
command -v python3 >/dev/null || skip "python3 is not installed"

# IFF_UP | IFF_RUNNING of lo by SIOCSIFFLAGS
python3 - <<'PYTHON' || fail "the loopback device does not come up"
import fcntl, socket, struct
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sh", b"lo", 0x41))
PYTHON

name_server()
{
	echo "nameserver 127.0.0.1" >"$work/resolv.conf"
	[ $# = 0 ] || echo "options $*" >>"$work/resolv.conf"
	mount --bind "$work/resolv.conf" "$(readlink -f /etc/resolv.conf)" || skip "/etc/resolv.conf cannot be replaced"
}
