/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tls_pins.c: any text is a list of pins or not, and any file one of known hosts or not.
 *
 * Input: the text, once as tls.pins (up to its first NUL) and once as the file. */
#include "fuzz.h"
#include "transport/tls_pins.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

static void list_look(const char *text)
{
	struct skiff_error error = {0};
	bool valid = skiffi_tls_pins_valid(text, &error);
	CHECK(valid || (error.code == SKIFF_USAGE_OPTION && error.text[0]));
	CHECK(!valid || !skiffi_tls_pins_have(text, pin) || strstr(text, pin));
}

/* What is added to a file that is one, is found there. */
static void file_look(const uint8_t *data, size_t len)
{
	char path[64];
	struct skiff_error error = {0};
	unsigned line = 0;
	int fd = memfd_create("known", 0);
	CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	enum skiffi_tls_known known = skiffi_tls_known_look(path, "host:1", pin, &line, &error);
	CHECK(known != SKIFFI_TLS_KNOWN_FAILED || error.text[0]);
	CHECK(known != SKIFFI_TLS_KNOWN_OTHER || line > 0);
	if (known == SKIFFI_TLS_KNOWN_NOT) {
		CHECK(skiffi_tls_known_add(path, "host:1", pin, &error));
		CHECK(skiffi_tls_known_look(path, "HOST:1", pin, &line, &error) == SKIFFI_TLS_KNOWN);
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = calloc(1, len + 1);
	CHECK(text);
	if (len)
		memcpy(text, data, len);
	list_look(text);
	free(text);
	file_look(data, len);
	return 0;
}
