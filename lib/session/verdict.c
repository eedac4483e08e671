/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c: reasons become errors with a sentence. */
#include "session/verdict.h"

#include "base/error.h"
#include "codec/reason.h"

static const char *verdict_text(const char *text)
{
	return text ? text : "";
}

const char *skiffi_version_name(enum skiffi_protocol v)
{
	return v == SKIFFI_V5 ? "MQTT 5" : v == SKIFFI_V31 ? "MQTT 3.1" : "MQTT 3.1.1";
}

enum skiff_code skiffi_verdict_connack(struct skiff_error *error, enum skiffi_protocol v, enum skiffi_protocol spoken,
	uint8_t reason, const char *reason_string)
{
	enum skiff_code code = skiffi_connack_error(v, reason);
	const char *words = v == SKIFFI_V5 ? skiffi_reason_text(reason) : skiffi_return_code_text(reason);
	bool credentials = code == SKIFF_MQTT_BAD_CREDENTIALS || code == SKIFF_MQTT_NOT_AUTHORISED;
	reason_string = verdict_text(reason_string);
	if (code == SKIFF_MQTT_VERSION)
		return skiffi_fail(error, code, reason, "the broker does not speak %s (%s); choose version %s",
			skiffi_version_name(spoken), words, spoken == SKIFFI_V5 ? "3.1.1 or auto" : "5");
	return skiffi_fail(error, code, reason, "the broker refused the connection: %s (0x%02x)%s%s%s", words, reason,
		*reason_string ? ": " : "", reason_string, credentials ? "; check the user name and the password" : "");
}

enum skiff_code skiffi_verdict_disconnect(
	struct skiff_error *error, uint8_t reason, const char *reason_string, const char *server_reference)
{
	enum skiff_code code = reason >= 0x80 ? skiffi_reason_error(reason) : SKIFF_MQTT_DISCONNECTED;
	reason_string = verdict_text(reason_string);
	server_reference = verdict_text(server_reference);
	return skiffi_fail(error, code == SKIFF_MQTT_REASON ? SKIFF_MQTT_DISCONNECTED : code, reason,
		"the broker disconnected: %s (0x%02x)%s%s%s%s", skiffi_reason_text(reason), reason,
		*reason_string ? ": " : "", reason_string, *server_reference ? "; it names the server " : "",
		server_reference);
}

enum skiff_code skiffi_verdict_suback(enum skiffi_protocol v, struct skiff_bytes reasons)
{
	const uint8_t *at = reasons.data;
	for (size_t i = 0; i < reasons.len; i++)
		if (at[i] < 0x80)
			return SKIFF_OK;
	if (!reasons.len)
		return SKIFF_OK;
	return v == SKIFFI_V5 ? skiffi_reason_error(at[0]) : SKIFF_MQTT_REASON;
}
