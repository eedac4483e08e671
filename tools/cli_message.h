/* SPDX-License-Identifier: Apache-2.0 */
/* cli_message.h: the one message that `pub` and `rr` are told to publish: its topic and where its payload comes from.
 */
#ifndef SKIFF_CLI_MESSAGE_H
#define SKIFF_CLI_MESSAGE_H

#include "cli_client.h"

/* The options of cli_message_options. */
struct cli_message_params {
	struct cli_list topics, messages, files;
	bool null, whole;
	int qos;    /* -1: not given */
	int decode; /* enum cli_message_decode */
};

enum cli_message_decode { CLI_DECODE_NONE, CLI_DECODE_HEX, CLI_DECODE_BASE64 };

enum { CLI_MESSAGE_OPTIONS = 7 };
extern const struct cli_option cli_message_options[CLI_MESSAGE_OPTIONS];

/* How many of -m, -f, -s and -n were given; each -f counts. */
size_t cli_message_sources(const struct cli_message_params *params);

/* The topic to publish to, of -t or --url; NULL, after saying why. */
const char *cli_message_topic(const struct cli_context *context, const struct cli_message_params *params);

/* That of -q; 0 when it was not given. */
static inline uint8_t cli_message_qos(const struct cli_message_params *params)
{
	return params->qos > 0 ? (uint8_t)params->qos : 0;
}

/* The payload of -m, -s, -n, or of the `index`th -f. `*owned` is the caller's to free. Result: an exit code, after
 * saying what went wrong. */
int cli_message_read(const struct cli_context *context, const struct cli_message_params *params, size_t index,
	struct skiff_bytes *payload, char **owned);

/* Decodes text as --decode says; `subject` is where it comes from. What is decoded lies in `*owned`, the caller's to
 * free, who may pass it again. Result: an exit code, after saying what went wrong. */
int cli_message_decode(const struct cli_context *context, const struct cli_message_params *params, const char *subject,
	struct skiff_bytes *payload, char **owned);

#endif
