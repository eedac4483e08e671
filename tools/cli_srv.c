/* SPDX-License-Identifier: Apache-2.0 */
/* cli_srv.c: a broker found by its domain, through the C library's resolver. */
#include "cli_srv.h"
#include "cli_exit.h"
#include "cli_patience.h"
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SRV_ANSWER_BYTES = 8192, HEADER_BYTES = 12, RECORD_BYTES = 10, SRV_FIXED_BYTES = 6 };

/* The answer, and where it is being read. */
struct reader {
	const unsigned char *message, *at, *end;
};

static unsigned reader_u16(struct reader *reader)
{
	unsigned value = reader->end - reader->at >= 2 ? (unsigned)(reader->at[0] << 8 | reader->at[1]) : 0;
	reader->at += reader->end - reader->at >= 2 ? 2 : reader->end - reader->at;
	return value;
}

static bool reader_skip_name(struct reader *reader)
{
	int len = dn_skipname(reader->at, reader->end);
	reader->at += len > 0 ? len : 0;
	return len > 0;
}

/* "." says that there is no such service; and what is no name must not get into a URL. */
static bool srv_names_host(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	return *host && strcmp(host, ".") != 0 && host[strspn(host, allowed)] == 0;
}

/* The next record of the answer. False: it is cut. `*found`: whether it is a service [RFC 2782]. */
static bool srv_read(struct reader *reader, struct cli_srv *srv, bool *found)
{
	if (!reader_skip_name(reader) || reader->end - reader->at < RECORD_BYTES)
		return false;
	unsigned type = reader_u16(reader);
	reader->at += 6; /* class, time to live */
	int len = (int)reader_u16(reader);
	if (len > reader->end - reader->at)
		return false;
	const unsigned char *next = reader->at + len;
	srv->priority = reader_u16(reader);
	srv->weight = reader_u16(reader);
	srv->port = reader_u16(reader);
	*found = type == ns_t_srv && len > SRV_FIXED_BYTES &&
		 dn_expand(reader->message, reader->end, reader->at, srv->host, sizeof(srv->host)) > 0 &&
		 srv_names_host(srv->host);
	reader->at = next;
	return true;
}

/* Whether a record takes the place of those drawn before, whose shares are `*drawn`. One of weight 0 has hardly any
 * share beside others [RFC 2782]. */
static bool srv_draw(unsigned weight, uint64_t *drawn)
{
	uint64_t share = weight ? (uint64_t)weight << 16 : 1, number = 0;
	*drawn += share;
	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return *drawn == share;
	return number % *drawn < share;
}

bool cli_srv_choose(const unsigned char *answer, size_t len, struct cli_srv *best)
{
	struct reader reader = {answer, answer, answer + len};
	bool any = false, found = false;
	uint64_t drawn = 0;
	struct cli_srv srv;
	reader.at += len < 4 ? len : 4; /* id, flags */
	unsigned questions = reader_u16(&reader), answers = reader_u16(&reader);
	reader.at = answer + (len < HEADER_BYTES ? len : HEADER_BYTES);
	for (; questions && reader_skip_name(&reader); questions--)
		reader.at += reader.end - reader.at >= 4 ? 4 : reader.end - reader.at;
	for (; answers && srv_read(&reader, &srv, &found); answers--) {
		if (!found || (any && srv.priority > best->priority))
			continue;
		if (!any || srv.priority < best->priority)
			drawn = 0;
		if (srv_draw(srv.weight, &drawn))
			*best = srv;
		any = true;
	}
	return any;
}

/* ---- the question ---- */

struct srv_question {
	struct cli_task task; /* first */
	char name[512];
	unsigned char answer[SRV_ANSWER_BYTES];
	int len;
	int reason; /* h_errno, without an answer */
};

static void question_ask(struct cli_task *task)
{
	struct srv_question *question = (struct srv_question *)task;
	question->len = res_query(question->name, ns_c_in, ns_t_srv, question->answer, (int)sizeof(question->answer));
	question->reason = h_errno;
}

static void question_free(struct cli_task *task)
{
	free(task);
}

/* NULL, or why there is none. */
static const char *question_choose(const struct srv_question *question, struct cli_srv *best)
{
	size_t len = (size_t)question->len;
	if (question->len < 0)
		return hstrerror(question->reason);
	return cli_srv_choose(question->answer, len < SRV_ANSWER_BYTES ? len : SRV_ANSWER_BYTES, best)
		       ? NULL
		       : "none in the answer";
}

int cli_srv_find(const struct cli_context *context, const char *domain, bool tls, int timeout_ms, char *host,
	size_t size, long long *port)
{
	struct cli_srv best = {0};
	const char *service = tls ? "_secure-mqtt" : "_mqtt", *why = "out of memory";
	struct srv_question *question = calloc(1, sizeof(*question));
	if (question) {
		question->task = (struct cli_task){.run = question_ask, .drop = question_free};
		snprintf(question->name, sizeof(question->name), "%s._tcp.%s", service, domain);
		bool answered = cli_patience(&question->task, timeout_ms);
		why = answered ? question_choose(question, &best) : "no answer in time";
		if (answered)
			question_free(&question->task);
	}
	if (why) {
		cli_say(context,
			"option '-S': DNS gave no service record '%s._tcp.%s' (%s); leave out '-S' to connect to '%s' "
			"itself",
			service, domain, why, domain);
		return CLI_EXIT_DNS;
	}
	snprintf(host, size, "%s", best.host);
	*port = best.port;
	return CLI_EXIT_OK;
}
