/* SPDX-License-Identifier: Apache-2.0 */
/* cli_exit.c: from the library's error to the process's exit code. */
#include "cli_exit.h"

int cli_exit_for(enum skiff_code code)
{
	switch (skiff_code_class(code)) {
	case SKIFF_CLASS_OK:
		return CLI_EXIT_OK;
	case SKIFF_CLASS_USAGE:
		return CLI_EXIT_USAGE;
	case SKIFF_CLASS_FILE:
		return CLI_EXIT_FILE;
	case SKIFF_CLASS_DNS:
		return CLI_EXIT_DNS;
	case SKIFF_CLASS_TCP:
		return CLI_EXIT_TCP;
	case SKIFF_CLASS_PROXY:
		return CLI_EXIT_PROXY;
	case SKIFF_CLASS_TLS:
		return CLI_EXIT_TLS;
	case SKIFF_CLASS_WS:
		return CLI_EXIT_WEBSOCKET;
	case SKIFF_CLASS_MQTT:
		return CLI_EXIT_MQTT;
	case SKIFF_CLASS_TIMEOUT:
		return CLI_EXIT_TIMEOUT;
	case SKIFF_CLASS_MEMORY:
	case SKIFF_CLASS_AGAIN:
	case SKIFF_CLASS_CLOSED:
		return CLI_EXIT_FAILURE;
	}
	return CLI_EXIT_FAILURE;
}

int cli_exit_for_operation(enum skiff_code code)
{
	return skiff_code_class(code) == SKIFF_CLASS_MQTT ? CLI_EXIT_REFUSED : cli_exit_for(code);
}
