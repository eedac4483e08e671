#pragma once
#include <stdbool.h>
#include <stddef.h>
enum cli_payload_code { CLI_PAYLOAD_IN_HEX, CLI_PAYLOAD_IN_BASE64 };
static inline bool cli_payload_decode(
	enum cli_payload_code c, const void *d, size_t n, char *o, size_t *l, char *w, size_t s)
{
	(void)c;
	(void)d;
	(void)n;
	(void)o;
	(void)l;
	(void)w;
	(void)s;
	return false;
}
