/* SPDX-License-Identifier: Apache-2.0 */
/* version.c: what is running: this library, and those it stands on. */
#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <skiff/version.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static char version_text[192];
static pthread_once_t version_once = PTHREAD_ONCE_INIT;

static void version_make(void)
{
	const char *lws = lws_get_library_version();
	snprintf(version_text, sizeof version_text, "skiff %s (OpenSSL %s, libwebsockets %.*s, libuv %s)",
		SKIFF_VERSION, OpenSSL_version(OPENSSL_VERSION_STRING), (int)strcspn(lws, "-"), lws,
		uv_version_string());
}

const char *skiff_version(void)
{
	return SKIFF_VERSION;
}

const char *skiff_version_components(void)
{
	pthread_once(&version_once, version_make);
	return version_text;
}
