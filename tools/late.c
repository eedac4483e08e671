/* SPDX-License-Identifier: Apache-2.0 */
/* late.c: libraries that few runs of the command need, loaded when one does: OpenSSL with TLS (late_openssl.S),
 * libwebsockets with the first WebSocket, Paho with the engine paho, cJSON with %j and --json-in, the C library's
 * mathematics with compare. The command starts for each message that a script sends, and each library costs it time at
 * each start.
 *
 * Each function here has the name of one of theirs, and stands in its place in this program. Where a library is not
 * there, the functions that begin something fail as they do when memory is out. */
#include <MQTTAsync.h>
#include <cJSON.h>
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <libwebsockets.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { LATE_MISSING = 127 }; /* as from a shell, of a program that cannot run */

struct late {
	const char *name;
	pthread_mutex_t lock;
	void *handle;
	bool tried;
};

static struct late late_lws = {.name = SKIFF_LATE_LIBWEBSOCKETS, .lock = PTHREAD_MUTEX_INITIALIZER};
static struct late late_cjson = {.name = SKIFF_LATE_CJSON, .lock = PTHREAD_MUTEX_INITIALIZER};
static struct late late_m = {.name = LIBM_SO, .lock = PTHREAD_MUTEX_INITIALIZER};
#ifdef SKIFF_LATE_OPENSSL
static struct late late_openssl = {.name = SKIFF_LATE_OPENSSL, .lock = PTHREAD_MUTEX_INITIALIZER};
#endif
static struct late late_paho = {.name = SKIFF_LATE_PAHO, .lock = PTHREAD_MUTEX_INITIALIZER};

/* What the library calls under these names is its own. NULL: it is not there; that is said once. */
static void *late_find(struct late *late, const char *name, _Atomic(void *) *found)
{
	void *at = atomic_load_explicit(found, memory_order_acquire);
	if (at)
		return at;
	pthread_mutex_lock(&late->lock);
	if (!late->tried)
		late->handle = dlopen(late->name, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	if (!late->tried && !late->handle)
		fprintf(stderr, "skiff: %s; install it\n", dlerror());
	late->tried = true;
	at = late->handle ? dlsym(late->handle, name) : NULL;
	pthread_mutex_unlock(&late->lock);
	atomic_store_explicit(found, at, memory_order_release);
	return at;
}

#ifdef SKIFF_LATE_OPENSSL
/* For late_openssl.S. Nothing can be answered in its stead, so the command ends where it is missing. */
void *late_openssl_find(const char *name, _Atomic(void *) *found);
void *late_openssl_find(const char *name, _Atomic(void *) *found)
{
	void *at = late_find(&late_openssl, name, found);
	if (!at)
		_exit(LATE_MISSING);
	return at;
}
#endif

/* A function of `late` that gives `missing` where the library is not there. */
#define LATE(late, result, missing, name, parameters, arguments) \
	result name parameters \
	{ \
		static _Atomic(void *) found; \
		__typeof__(&(name)) real = (__typeof__(&(name)))late_find(&(late), #name, &found); \
		return real ? real arguments : (missing); \
	}

/* The same for one that gives nothing. */
#define LATE_VOID(late, name, parameters, arguments) \
	void name parameters \
	{ \
		static _Atomic(void *) found; \
		__typeof__(&(name)) real = (__typeof__(&(name)))late_find(&(late), #name, &found); \
		if (real) \
			real arguments; \
	}

/* clang-format off */
LATE(late_lws, const char *, "libwebsockets, which is not there", lws_get_library_version, (void), ())
LATE_VOID(late_lws, lws_set_log_level, (int level, void (*emit)(int, const char *)), (level, emit))
LATE(late_lws, struct lws_context *, NULL, lws_create_context, (const struct lws_context_creation_info *info), (info))
LATE(late_lws, struct lws_vhost *, NULL, lws_create_vhost,
	(struct lws_context *context, const struct lws_context_creation_info *info), (context, info))
LATE_VOID(late_lws, lws_context_destroy, (struct lws_context *context), (context))
LATE(late_lws, struct lws *, NULL, lws_client_connect_via_info, (const struct lws_client_connect_info *info), (info))
LATE(late_lws, lws_sockfd_type, -1, lws_get_socket_fd, (struct lws *wsi), (wsi))
LATE(late_lws, int, -1, lws_service_fd, (struct lws_context *context, struct lws_pollfd *pollfd), (context, pollfd))
LATE(late_lws, int, 0, lws_partial_buffered, (struct lws *wsi), (wsi))
LATE(late_lws, int, -1, lws_write,
	(struct lws *wsi, unsigned char *data, size_t len, enum lws_write_protocol protocol), (wsi, data, len, protocol))
LATE_VOID(late_lws, lws_close_reason,
	(struct lws *wsi, enum lws_close_status status, unsigned char *data, size_t len), (wsi, status, data, len))

LATE(late_paho, MQTTAsync_nameValue *, NULL, MQTTAsync_getVersionInfo, (void), ())
LATE_VOID(late_paho, MQTTAsync_global_init, (MQTTAsync_init_options *options), (options))
LATE_VOID(late_paho, MQTTAsync_setTraceLevel, (enum MQTTASYNC_TRACE_LEVELS level), (level))
LATE_VOID(late_paho, MQTTAsync_setTraceCallback, (MQTTAsync_traceCallback *callback), (callback))
LATE(late_paho, int, MQTTASYNC_FAILURE, MQTTAsync_createWithOptions,
	(MQTTAsync *handle, const char *url, const char *id, int persistence, void *context, MQTTAsync_createOptions *options),
	(handle, url, id, persistence, context, options))
LATE_VOID(late_paho, MQTTAsync_destroy, (MQTTAsync *handle), (handle))
LATE(late_paho, int, MQTTASYNC_FAILURE, MQTTAsync_setCallbacks,
	(MQTTAsync handle, void *context, MQTTAsync_connectionLost *lost, MQTTAsync_messageArrived *arrived,
		MQTTAsync_deliveryComplete *complete),
	(handle, context, lost, arrived, complete))
LATE(late_paho, int, MQTTASYNC_FAILURE, MQTTAsync_setDisconnected,
	(MQTTAsync handle, void *context, MQTTAsync_disconnected *disconnected), (handle, context, disconnected))
LATE(late_paho, int, MQTTASYNC_FAILURE, MQTTAsync_connect, (MQTTAsync handle, const MQTTAsync_connectOptions *options),
	(handle, options))
LATE(late_paho, int, MQTTASYNC_FAILURE, MQTTAsync_disconnect,
	(MQTTAsync handle, const MQTTAsync_disconnectOptions *options), (handle, options))
LATE(late_paho, int, MQTTASYNC_FAILURE, MQTTAsync_subscribeMany,
	(MQTTAsync handle, int count, char *const *topics, const int *qos, MQTTAsync_responseOptions *response),
	(handle, count, topics, qos, response))
LATE(late_paho, int, MQTTASYNC_FAILURE, MQTTAsync_unsubscribeMany,
	(MQTTAsync handle, int count, char *const *topics, MQTTAsync_responseOptions *response),
	(handle, count, topics, response))
LATE(late_paho, int, MQTTASYNC_FAILURE, MQTTAsync_sendMessage,
	(MQTTAsync handle, const char *topic, const MQTTAsync_message *message, MQTTAsync_responseOptions *response),
	(handle, topic, message, response))
LATE(late_paho, void *, NULL, MQTTAsync_malloc, (size_t size), (size))
LATE_VOID(late_paho, MQTTAsync_free, (void *data), (data))
LATE_VOID(late_paho, MQTTAsync_freeMessage, (MQTTAsync_message **message), (message))
LATE(late_paho, int, -1, MQTTProperty_getType, (enum MQTTPropertyCodes id), (id))
LATE(late_paho, int, -1, MQTTProperties_add, (MQTTProperties *properties, const MQTTProperty *property),
	(properties, property))
LATE_VOID(late_paho, MQTTProperties_free, (MQTTProperties *properties), (properties))

LATE(late_cjson, cJSON *, NULL, cJSON_CreateObject, (void), ())
LATE(late_cjson, cJSON *, NULL, cJSON_CreateArray, (void), ())
LATE(late_cjson, cJSON *, NULL, cJSON_CreateString, (const char *text), (text))
LATE(late_cjson, cJSON_bool, 0, cJSON_AddItemToArray, (cJSON *array, cJSON *item), (array, item))
LATE(late_cjson, cJSON_bool, 0, cJSON_AddItemToObject, (cJSON *object, const char *name, cJSON *item),
	(object, name, item))
LATE(late_cjson, cJSON *, NULL, cJSON_AddNullToObject, (cJSON *const object, const char *const name), (object, name))
LATE(late_cjson, cJSON *, NULL, cJSON_AddBoolToObject,
	(cJSON *const object, const char *const name, const cJSON_bool value), (object, name, value))
LATE(late_cjson, cJSON *, NULL, cJSON_AddNumberToObject,
	(cJSON *const object, const char *const name, const double value), (object, name, value))
LATE(late_cjson, cJSON *, NULL, cJSON_AddStringToObject,
	(cJSON *const object, const char *const name, const char *const value), (object, name, value))
LATE(late_cjson, cJSON *, NULL, cJSON_AddObjectToObject, (cJSON *const object, const char *const name), (object, name))
LATE(late_cjson, cJSON *, NULL, cJSON_GetObjectItemCaseSensitive, (const cJSON *const object, const char *const name),
	(object, name))
LATE(late_cjson, cJSON_bool, 0, cJSON_IsArray, (const cJSON *const item), (item))
LATE(late_cjson, cJSON_bool, 0, cJSON_IsBool, (const cJSON *const item), (item))
LATE(late_cjson, cJSON_bool, 0, cJSON_IsNull, (const cJSON *const item), (item))
LATE(late_cjson, cJSON_bool, 0, cJSON_IsNumber, (const cJSON *const item), (item))
LATE(late_cjson, cJSON_bool, 0, cJSON_IsObject, (const cJSON *const item), (item))
LATE(late_cjson, cJSON_bool, 0, cJSON_IsString, (const cJSON *const item), (item))
LATE(late_cjson, cJSON_bool, 0, cJSON_IsTrue, (const cJSON *const item), (item))
LATE(late_cjson, cJSON *, NULL, cJSON_ParseWithLength, (const char *text, size_t len), (text, len))
LATE(late_cjson, cJSON *, NULL, cJSON_ParseWithLengthOpts,
	(const char *text, size_t len, const char **end, cJSON_bool whole), (text, len, end, whole))
LATE(late_cjson, cJSON *, NULL, cJSON_ParseWithOpts, (const char *text, const char **end, cJSON_bool whole),
	(text, end, whole))
LATE(late_cjson, char *, NULL, cJSON_Print, (const cJSON *item), (item))
LATE(late_cjson, char *, NULL, cJSON_PrintUnformatted, (const cJSON *item), (item))
LATE_VOID(late_cjson, cJSON_Delete, (cJSON *item), (item))
LATE_VOID(late_cjson, cJSON_free, (void *data), (data))

LATE(late_m, double, 0, exp, (double x), (x))
LATE(late_m, double, 0, log, (double x), (x))
LATE(late_m, double, 0, pow, (double x, double y), (x, y))
LATE(late_m, double, 0, fmod, (double x, double y), (x, y))
LATE(late_m, double, 0, fmax, (double x, double y), (x, y))
LATE(late_m, double, 0, fmin, (double x, double y), (x, y))
LATE(late_m, long, 0, lround, (double x), (x))
