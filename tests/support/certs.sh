#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# certs.sh DIR: the certificates of ../../certs/make-certs.sh, in DIR, for a test's own use: copies of those that the
# fixture `certs` has made for the whole run, in the folder SKIFF_CERTS_MADE; without it they are made anew.
set -eu
if [ -z "${SKIFF_CERTS_MADE-}" ]; then
	exec sh "$(dirname "$0")/../../certs/make-certs.sh" -a "$1"
fi
mkdir -p "$1"
cp "$SKIFF_CERTS_MADE"/* "$1"
