/* SPDX-License-Identifier: Apache-2.0 */
/* raw.c: the limits, through the same contract (bench.h), with blocking sockets and no library.
 *
 *   raw     packets encoded beforehand, written 64 KiB at a time: what the kernel, and OpenSSL, cost alone
 *   rawenc  (built with RAW_ENCODE) each message encoded into such a batch: what a batching library could reach
 *
 * Environment SPIN: plain reads spin instead of sleeping, for the lowest latency there is. LOOP: they
 * take what there is and sleep in poll(), as whoever has several connections must, and what arrives is read into one
 * buffer as long as a message, as it must be where the payload is to be seen in one piece. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef RAW_ENCODE
const char *peer_name = "rawenc";
static const bool raw_encodes = true;
#else
const char *peer_name = "raw";
static const bool raw_encodes = false;
#endif

enum { BATCH_BYTES = 65536, FRAME_BYTES = 4 * BATCH_BYTES };

struct line {
	int fd;
	SSL *ssl;
};

static SSL_CTX *tls_context;
static SSL_SESSION *tls_session; /* the last one given, for mode resume */
static bool spin, loop;

static int tls_keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(tls_session);
	tls_session = session;
	return 1;
}

static void tls_set_up(void)
{
	tls_context = SSL_CTX_new(TLS_client_method());
	if (bench.ca && SSL_CTX_load_verify_locations(tls_context, bench.ca, NULL) != 1)
		bench_fail("cannot read the file in 'CA'");
	SSL_CTX_set_verify(tls_context, bench.ca ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(tls_context, tls_keep_session);
}

/* ---- bytes ---- */

static size_t line_read(struct line *line, void *buffer, size_t size)
{
	ssize_t got;

	if (line->ssl) {
		got = SSL_read(line->ssl, buffer, (int)size);
	} else {
		struct pollfd poll_fd = {line->fd, POLLIN, 0};

		do {
			got = recv(line->fd, buffer, size, spin || loop ? MSG_DONTWAIT : 0);
			if (loop && got < 0 && errno == EAGAIN)
				poll(&poll_fd, 1, -1);
		} while ((spin || loop) && got < 0 && errno == EAGAIN);
	}
	if (got <= 0)
		bench_fail("cannot read");
	return (size_t)got;
}

static void line_read_all(struct line *line, uint8_t *buffer, size_t size)
{
	while (size) {
		size_t got = line_read(line, buffer, size);

		buffer += got;
		size -= got;
	}
}

static void line_write_plain(struct line *line, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t sent =
			line->ssl ? SSL_write(line->ssl, bytes, (int)len) : send(line->fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			bench_fail("cannot write");
		bytes += sent;
		len -= (size_t)sent;
	}
}

static uint32_t mask_next(void)
{
	static uint32_t pool[1024];
	static size_t used = 1024;

	if (used == 1024) {
		RAND_bytes((unsigned char *)pool, sizeof pool);
		used = 0;
	}
	return pool[used++];
}

/* A masked binary frame of `len` bytes, at most FRAME_BYTES. */
static void line_write_frame(struct line *line, const uint8_t *bytes, size_t len)
{
	static uint8_t frame[FRAME_BYTES + 14];
	uint32_t mask = mask_next();
	uint64_t wide = (uint64_t)mask << 32 | mask, word;
	size_t header = 2, i = 0;

	frame[0] = 0x82;
	frame[1] = (uint8_t)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
	for (int left = len < 126 ? 0 : len < 65536 ? 2 : 8; left; left--)
		frame[header++] = (uint8_t)((uint64_t)len >> (8 * (left - 1)));
	memcpy(frame + header, &mask, sizeof mask);
	header += sizeof mask;
	for (; i + sizeof word <= len; i += sizeof word) {
		memcpy(&word, bytes + i, sizeof word);
		word ^= wide;
		memcpy(frame + header + i, &word, sizeof word);
	}
	for (; i < len; i++)
		frame[header + i] = bytes[i] ^ (uint8_t)(mask >> (i & 3) * 8);
	line_write_plain(line, frame, header + len);
}

static void line_write(struct line *line, const uint8_t *bytes, size_t len)
{
	while (bench.ws && len) {
		size_t part = len < FRAME_BYTES ? len : FRAME_BYTES;

		line_write_frame(line, bytes, part);
		bytes += part;
		len -= part;
	}
	line_write_plain(line, bytes, len);
}

/* ---- a connection ---- */

static void line_upgrade(struct line *line)
{
	static const char request[] =
		"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n"
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	char answer[1024] = "";
	size_t len = 0;

	line_write_plain(line, (const uint8_t *)request, sizeof request - 1);
	while (!strstr(answer, "\r\n\r\n")) {
		if (len == sizeof answer - 1)
			bench_fail("the answer to the upgrade is too long");
		line_read_all(line, (uint8_t *)answer + len++, 1);
	}
}

static void line_open(struct line *line, bool resume)
{
	static const uint8_t connect_packet[] = "\x10\x0d\0\4MQTT\4\2\0\0\0\1b";
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bench.port)};
	uint8_t connack[6];
	int on = 1;

	*line = (struct line){.fd = socket(AF_INET, SOCK_STREAM, 0)};
	if (inet_pton(AF_INET, bench.host, &address.sin_addr) != 1 ||
		connect(line->fd, (void *)&address, sizeof address))
		bench_fail("cannot connect");
	setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bench.tls) {
		line->ssl = SSL_new(tls_context);
		SSL_set_fd(line->ssl, line->fd);
		if (resume && tls_session)
			SSL_set_session(line->ssl, tls_session);
		if (SSL_connect(line->ssl) != 1)
			bench_fail("TLS handshake failed");
	}
	if (bench.ws)
		line_upgrade(line);
	line_write(line, connect_packet, sizeof connect_packet - 1);
	line_read_all(line, connack, bench.ws ? 6 : 4);
}

static void line_close(struct line *line)
{
	line_write(line, (const uint8_t *)"\xe0", 2);
	if (line->ssl)
		SSL_shutdown(line->ssl);
	SSL_free(line->ssl);
	close(line->fd);
}

/* ---- packets ---- */

static size_t publish_encode(uint8_t *out, int qos, uint16_t id, const void *payload, size_t size)
{
	static const char topic[] = "\0\7bench/t";
	size_t rest = sizeof topic - 1 + (qos ? 2 : 0) + size, at = 1;

	out[0] = (uint8_t)(0x30 | qos << 1);
	do {
		out[at++] = (uint8_t)((rest & 127) | (rest > 127 ? 128 : 0));
		rest >>= 7;
	} while (rest);
	memcpy(out + at, topic, sizeof topic - 1);
	at += sizeof topic - 1;
	if (qos) {
		out[at++] = (uint8_t)(id >> 8);
		out[at++] = (uint8_t)id;
	}
	memcpy(out + at, payload, size);
	return at + size;
}

/* Bytes of `len` that count as acknowledgements; on a WebSocket steps over the header before each batch of them. */
static size_t acks_in(const uint8_t *bytes, size_t len, size_t *frame_left, size_t *used)
{
	size_t at = 0, found = 0;

	while (len - at >= 4 || (*frame_left == 0 && len - at >= 2)) {
		if (bench.ws && *frame_left == 0) {
			bool wide = bytes[at + 1] == 126;

			if (wide && len - at < 4)
				break;
			*frame_left = wide ? (size_t)(bytes[at + 2] << 8 | bytes[at + 3]) : bytes[at + 1];
			at += wide ? 4 : 2;
			continue;
		}
		if (len - at < 4)
			break;
		at += 4;
		found++;
		if (bench.ws)
			*frame_left -= 4;
	}
	*used = at;
	return found;
}

/* Reads until `need` of the 4-byte acknowledgements have come; `have` came before. */
static long acks_wait(struct line *line, long have, long need)
{
	static uint8_t bytes[BATCH_BYTES];
	static size_t len, frame_left;

	while (have < need) {
		size_t used;

		len += line_read(line, bytes + len, sizeof bytes - len);
		have += (long)acks_in(bytes, len, &frame_left, &used);
		memmove(bytes, bytes + used, len - used);
		len -= used;
	}
	return have;
}

/* ---- modes ---- */

static void mode_connect(bool resume)
{
	double *times_us = bench_alloc((size_t)bench.n, sizeof *times_us), wall_us, cpu_us;
	struct line line;

	if (resume && !bench.tls)
		bench_unsupported(peer_name);
	line_open(&line, resume);
	line_close(&line);
	wall_us = bench_now_us();
	cpu_us = bench_cpu_us();
	for (long i = 0; i < bench.n; i++) {
		double begin_us = bench_now_us();

		line_open(&line, resume);
		times_us[i] = bench_now_us() - begin_us;
		if (resume && !SSL_session_reused(line.ssl))
			bench_fail("the session was not resumed");
		line_close(&line);
	}
	bench_report(peer_name, bench_now_us() - wall_us, bench_cpu_us() - cpu_us, times_us, bench.n, -1);
}

static void mode_idle(void)
{
	struct line line;
	double wall_us, cpu_us;
	long before;

	line_open(&line, false);
	before = bench_memory_bytes();
	wall_us = bench_now_us();
	cpu_us = bench_cpu_us();
	for (long i = 0; i < bench.n; i++)
		line_open(&line, false);
	bench_report(peer_name, bench_now_us() - wall_us, bench_cpu_us() - cpu_us, NULL, 0,
		(double)(bench_memory_bytes() - before) / (double)bench.n);
}

/* Reads `total` bytes, again and again into the same buffer; when the first came. */
static double sub_read(struct line *line, size_t total, size_t each)
{
	size_t size = loop && each > 4 * BATCH_BYTES ? each : 4 * BATCH_BYTES, used = 0;
	uint8_t *bytes = bench_alloc(size, 1);
	double first_us = 0;

	for (size_t got = 0; got < total;) {
		size_t here = line_read(line, bytes + used, size - used);

		first_us = got ? first_us : bench_now_us();
		got += here;
		used = loop && used + here < size ? used + here : 0;
	}
	free(bytes);
	return first_us;
}

static void mode_sub(void)
{
	char filter[128];
	uint8_t packet[160];
	struct line line;
	size_t len, each, total;
	double first_us, cpu_us;

	if (bench.qos || bench.ws)
		bench_unsupported(peer_name);
	line_open(&line, false);
	len = (size_t)snprintf(filter, sizeof filter, "src/0/%ld/%d/%d", bench.n, bench.size, bench.window);
	memcpy(packet, (uint8_t[]){0x82, (uint8_t)(len + 5), 0, 1, 0, (uint8_t)len}, 6);
	memcpy(packet + 6, filter, len);
	packet[6 + len] = 0;
	each = 2 + len + (size_t)bench.size;
	for (size_t rest = each; rest; rest >>= 7)
		each++;
	total = (each + 1) * (size_t)bench.n;
	cpu_us = bench_cpu_us();
	line_write(&line, packet, 7 + len);
	line_read_all(&line, packet, 5);
	first_us = sub_read(&line, total, each + 1);
	bench_report(peer_name, bench_now_us() - first_us, bench_cpu_us() - cpu_us, NULL, 0, -1);
}

static void mode_latency(const void *payload, bool paced)
{
	double *times_us = bench_alloc((size_t)bench.n, sizeof *times_us), begin_us, cpu_us;
	uint8_t *packet = bench_alloc((size_t)bench.size + 64, 1), ack[6];
	size_t len = publish_encode(packet, 1, 1, payload, (size_t)bench.size);
	struct line line;

	line_open(&line, false);
	begin_us = bench_now_us();
	cpu_us = bench_cpu_us();
	for (long i = 0; i < bench.n; i++) {
		double sent_us;

		if (paced)
			bench_sleep_until_us(begin_us + (double)i * 1e6 / bench.rate);
		sent_us = bench_now_us();
		line_write(&line, packet, len);
		line_read_all(&line, ack, bench.ws ? 6 : 4);
		times_us[i] = bench_now_us() - sent_us;
	}
	bench_report(peer_name, bench_now_us() - begin_us, bench_cpu_us() - cpu_us, times_us, bench.n, -1);
}

static void mode_pub(const void *payload)
{
	size_t size = (size_t)bench.size, each;
	uint8_t *batch = bench_alloc(2 * (size + 64 > BATCH_BYTES ? size + 64 : BATCH_BYTES), 1);
	long count, acked = 0;
	struct line line;
	double begin_us, cpu_us;

	line_open(&line, false);
	each = publish_encode(batch, bench.qos, 1, payload, size);
	count = each < BATCH_BYTES ? (long)(BATCH_BYTES / each) : 1;
	if (bench.qos && count > bench.window / 2)
		count = bench.window / 2 ? bench.window / 2 : 1;
	for (long i = 0; i < count; i++)
		publish_encode(batch + (size_t)i * each, bench.qos, (uint16_t)(i + 1), payload, size);
	begin_us = bench_now_us();
	cpu_us = bench_cpu_us();
	for (long i = 0, here; i < bench.n; i += here) {
		here = count < bench.n - i ? count : bench.n - i;
		if (bench.qos && i + here - acked > bench.window)
			acked = acks_wait(&line, acked, i + here - bench.window);
		for (long k = 0; raw_encodes && k < here; k++)
			publish_encode(
				batch + (size_t)k * each, bench.qos, (uint16_t)((i + k) % 65535 + 1), payload, size);
		line_write(&line, batch, (size_t)here * each);
	}
	if (!bench.qos)
		line_write(&line, batch, publish_encode(batch, 1, 1, "fence", 5));
	acks_wait(&line, bench.qos ? acked : 0, bench.qos ? bench.n : 1);
	bench_report(peer_name, bench_now_us() - begin_us, bench_cpu_us() - cpu_us, NULL, 0, -1);
}

int main(int argc, char **argv)
{
	char *payload;

	bench_args(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	spin = getenv("SPIN") != NULL;
	loop = getenv("LOOP") != NULL;
	payload = bench_alloc((size_t)bench.size + 1, 1);
	memset(payload, 'x', (size_t)bench.size);
	if (bench.tls)
		tls_set_up();

	if (!strcmp(bench.mode, "conn") || !strcmp(bench.mode, "resume"))
		mode_connect(bench.mode[0] == 'r');
	else if (!strcmp(bench.mode, "idle"))
		mode_idle();
	else if (!strcmp(bench.mode, "sub"))
		mode_sub();
	else if (!strcmp(bench.mode, "lat") || !strcmp(bench.mode, "ping"))
		mode_latency(payload, bench.mode[0] == 'l');
	else if (!strcmp(bench.mode, "pub"))
		mode_pub(payload);
	else
		bench_unsupported(peer_name);
	_exit(0);
}
