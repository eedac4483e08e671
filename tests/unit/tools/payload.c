/* SPDX-License-Identifier: Apache-2.0 */
/* payload.c: what is encoded comes back byte for byte; what is no hexadecimal or base64 is refused. */
#include "cli_payload.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In place in a heap block of exactly its length, as a caller may. */
static void gives(enum cli_payload_code code, const char *text, const void *bytes, size_t len)
{
	size_t size = strlen(text), made = 99;
	char *place = malloc(size + !size), why[200] = "";
	assert_non_null(place);
	memcpy(place, text, size);
	if (!cli_payload_decode(code, place, size, place, &made, why, sizeof why))
		fail_msg("'%s': %s", text, why);
	assert_int_equal(made, len);
	assert_memory_equal(place, bytes, len);
	free(place);
}

static void refuses(enum cli_payload_code code, const char *text, const char *says)
{
	char out[64], why[200] = "";
	size_t made;
	if (cli_payload_decode(code, text, strlen(text), out, &made, why, sizeof why))
		fail_msg("'%s' was taken", text);
	assert_string_equal(why, says);
}

static void every_byte_in_every_length(void **state)
{
	unsigned char bytes[256];
	char text[400];
	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)(255 - i);
	for (int len = 0; len <= 256; len++) {
		EVP_EncodeBlock((unsigned char *)text, bytes, len);
		gives(CLI_PAYLOAD_IN_BASE64, text, bytes, (size_t)len);
		text[strcspn(text, "=")] = '\0';
		gives(CLI_PAYLOAD_IN_BASE64, text, bytes, (size_t)len);
	}
}

static void base64(void **state)
{
	static const char *const wrong[] = {"aGV*", "A", "AAAAA", "AA==AA==", "A=AA", "\x7f\x7f\x7f\x7f"};
	(void)state;
	gives(CLI_PAYLOAD_IN_BASE64, "", "", 0);
	gives(CLI_PAYLOAD_IN_BASE64, "aGV\r\nsb\t G8=\n", "hello", 5);
	gives(CLI_PAYLOAD_IN_BASE64, "+/+/", "\xfb\xff\xbf", 3);
	gives(CLI_PAYLOAD_IN_BASE64, "-_-_", "\xfb\xff\xbf", 3);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refuses(CLI_PAYLOAD_IN_BASE64, wrong[i], "it is no base64 [RFC 4648]");
}

static void hex(void **state)
{
	(void)state;
	gives(CLI_PAYLOAD_IN_HEX, "", "", 0);
	gives(CLI_PAYLOAD_IN_HEX, "00fFa09A", "\0\xff\xa0\x9a", 4);
	gives(CLI_PAYLOAD_IN_HEX, " 0a:0B 0c\t\r\n", "\x0a\x0b\x0c", 3);
	refuses(CLI_PAYLOAD_IN_HEX, "0", "byte 1 begins no pair of hexadecimal digits");
	refuses(CLI_PAYLOAD_IN_HEX, "00 0 a", "byte 4 begins no pair of hexadecimal digits");
	refuses(CLI_PAYLOAD_IN_HEX, "00g0", "byte 3 begins no pair of hexadecimal digits");
	refuses(CLI_PAYLOAD_IN_HEX, "0x00", "byte 1 begins no pair of hexadecimal digits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_in_every_length),
		cmocka_unit_test(base64),
		cmocka_unit_test(hex),
	};
	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
