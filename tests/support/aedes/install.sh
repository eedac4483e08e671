#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh: fetches the broker aedes and what it needs, as package-lock.json has it, into the folder aedes of the build.
set -eu
command -v npm >/dev/null && command -v node >/dev/null || {
	echo "skipped: there is no npm" >&2
	exit 77
}
mkdir -p "$SKIFF_BUILD/aedes"
cd "$SKIFF_BUILD/aedes"
cp "$SKIFF_SOURCE/tests/support/aedes/package.json" "$SKIFF_SOURCE/tests/support/aedes/package-lock.json" .
[ ! -e node_modules/aedes/package.json ] || exit 0
npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1 || {
	tail -5 npm.log >&2
	echo "skipped: npm could not fetch aedes" >&2
	exit 77
}
