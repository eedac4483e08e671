/* SPDX-License-Identifier: Apache-2.0 */
/* cli_property.h: MQTT 5 properties from the command line: -D COMMAND NAME [KEY] VALUE, as in mosquitto_pub. */
#ifndef SKIFF_CLI_PROPERTY_H
#define SKIFF_CLI_PROPERTY_H

#include "cli_command.h"
#include <skiff/message.h>

enum cli_packet {
	CLI_PACKET_CONNECT,
	CLI_PACKET_PUBLISH,
	CLI_PACKET_SUBSCRIBE,
	CLI_PACKET_UNSUBSCRIBE,
	CLI_PACKET_DISCONNECT,
	CLI_PACKET_WILL,
	CLI_PACKET_COUNT
};

/* The properties of each kind of packet; strings point into argv. All zero is none. */
struct cli_properties {
	struct skiff_properties packets[CLI_PACKET_COUNT];
	bool given[CLI_PACKET_COUNT];
};

/* The `take` and `free` of an option of type CLI_CUSTOM whose field is a struct cli_properties. */
int cli_property_take(void *field, char **words, int count, char *why, size_t size);
void cli_property_free(void *field);

/* Its `split`: COMMAND NAME VALUE, or COMMAND user-property KEY VALUE, at blanks; what is left is the value. */
int cli_property_split(char *text, char **words);

/* The properties of one kind of packet; NULL when none were given. */
const struct skiff_properties *cli_property_of(const struct cli_properties *properties, enum cli_packet packet);

#endif
