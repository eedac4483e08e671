/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c: plain bytes over TCP, or over a Unix socket.
 *
 * Happy path: 1. resolve the host; 2. race its addresses, each attempt a non-blocking connect; 3. the winner's socket
 * becomes the stream: readability is polled as long as reading is on, writability only after the kernel took less than
 * it was given; 4. close.
 * Failure: before `opened` one phase's error, with the address; after it the peer's end or a socket error, told only
 * when what arrived before it has been read. An end that shows inside recv or send is told later, by the timer. */
#include "transport/tcp.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "loop/handles.h"
#include "transport/race.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	TCP_ADDRESS_TEXT_BYTES = 128,
	TCP_RETRY_MS = 10,        /* a Unix listener whose queue is full is asked again after this */
	TCP_DISCARD_BYTES = 4096, /* read and dropped at an orderly close, this often at most: */
	TCP_DISCARD_TIMES = 64,
	TCP_WARN_FROM = 200, /* few descriptors are no matter */
};

enum tcp_state {
	TCP_STATE_NEW,        /* -> RESOLVING by open */
	TCP_STATE_RESOLVING,  /* -> CONNECTING with addresses, ENDED without, CLOSING */
	TCP_STATE_CONNECTING, /* -> OPEN by the first that connects, ENDED when none does or in time, CLOSING */
	TCP_STATE_OPEN,       /* -> ENDED by the peer or an error, CLOSING */
	TCP_STATE_ENDED,      /* `failed` was told; -> CLOSING */
	TCP_STATE_CLOSING,    /* -> CLOSED with the timer */
	TCP_STATE_CLOSED
};

/* One attempt; the winner's is the connection's. */
struct tcp_socket {
	uv_poll_t *poll;
	struct tcp *tcp;
	size_t index;
	int fd;
};

/* What only connecting needs; apart, because ten thousand idle connections should not carry it. */
struct tcp_connect {
	struct skiffi_race race;
	uv_timer_t *soon;         /* for what is known already, or a Unix listener whose queue is full */
	struct tcp_socket *ready; /* whose answer is there */
	struct tcp *tcp;
	struct tcp_socket *sockets[SKIFFI_RESOLVE_MAX];
};

/* A socket address, which is a fourth of sockaddr_storage; of a Unix socket's the family alone, as the endpoint has its
 * path. AF_UNSPEC: none yet. */
union tcp_there {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct tcp {
	struct skiffi_transport base;
	enum tcp_state state;
	bool reading;
	bool want_write;                /* send took less than it was given */
	bool ending;                    /* `failed` is to be told */
	bool recv_over;                 /* recv saw the end */
	bool progress;                  /* recv gave something since this was cleared */
	int end_errno;                  /* 0: orderly */
	int mask;                       /* what is polled now */
	struct skiffi_resolve *resolve; /* TCP_STATE_RESOLVING only */
	struct tcp_connect *connect;    /* up to TCP_STATE_CONNECTING */
	struct tcp_socket *socket;      /* from TCP_STATE_OPEN on */
	uv_timer_t timer;               /* the deadline of connecting; later: to tell the end */
	union tcp_there there;          /* the address tried last, or connected */
	int64_t phase_us;               /* when the phase began */
	uint64_t sent, received;        /* bytes */
	int64_t dns_us, tcp_us;         /* what they took; -1 */
};

static const struct skiffi_transport_ops tcp_ops;

static struct tcp *tcp_of(const struct skiffi_transport *transport)
{
	return (struct tcp *)transport;
}

/* ---- errors ---- */

struct tcp_reason {
	int number; /* errno */
	enum skiff_code code;
	const char *text;
};

static const struct tcp_reason tcp_connect_reasons[] = {
	{ECONNREFUSED, SKIFF_TCP_REFUSED, "connection refused"},
	{ENOENT, SKIFF_TCP_REFUSED, "there is no such socket"},
	{ETIMEDOUT, SKIFF_TCP_TIMEOUT, "no answer; a firewall on the way may drop the packets"},
	{ECONNRESET, SKIFF_TCP_RESET, "connection reset by the peer"},
	{EHOSTUNREACH, SKIFF_TCP_UNREACHABLE, "no route to the host"},
	{ENETUNREACH, SKIFF_TCP_UNREACHABLE, "no route to its network; is this machine online?"},
	{ENETDOWN, SKIFF_TCP_UNREACHABLE, "the network is down"},
	{EHOSTDOWN, SKIFF_TCP_UNREACHABLE, "the host is down"},
	{EACCES, SKIFF_TCP_FAILED, "permission denied; a firewall rule here or the mode of the socket forbids it"},
	{EPERM, SKIFF_TCP_FAILED, "not permitted; a firewall rule here forbids it"},
	{EMFILE, SKIFF_TCP_FAILED, "too many open files in this process; raise its limit (ulimit -n)"},
	{ENFILE, SKIFF_TCP_FAILED, "too many open files on this machine"},
	{EADDRNOTAVAIL, SKIFF_TCP_FAILED,
		"no local address or port left for it; an address to connect from must be one of this machine's"},
	{EAFNOSUPPORT, SKIFF_TCP_FAILED, "the address to connect from is of the other IP version"},
	{ENOMEM, SKIFF_MEMORY, "out of memory"},
};

static const struct tcp_reason tcp_end_reasons[] = {
	{0, SKIFF_TCP_CLOSED, "closed the connection"},
	{EPIPE, SKIFF_TCP_CLOSED, "closed the connection"},
	{ECONNRESET, SKIFF_TCP_RESET, "reset the connection"},
	{ECONNABORTED, SKIFF_TCP_RESET, "reset the connection"},
	{ETIMEDOUT, SKIFF_TCP_TIMEOUT, "no longer answers"},
	{EHOSTUNREACH, SKIFF_TCP_UNREACHABLE, "is no longer reachable"},
	{ENETUNREACH, SKIFF_TCP_UNREACHABLE, "is no longer reachable"},
	{ENOMEM, SKIFF_MEMORY, "is lost: out of memory"},
};

static const struct tcp_reason *tcp_reason_find(const struct tcp_reason *reasons, size_t count, int number)
{
	for (size_t i = 0; i < count; i++)
		if (reasons[i].number == number)
			return &reasons[i];
	return NULL;
}

void skiffi_tcp_connect_error(
	const struct skiffi_address *address, int error_number, const char *whose, struct skiff_error *error)
{
	char text[TCP_ADDRESS_TEXT_BYTES], ask[64] = "";
	size_t count = sizeof tcp_connect_reasons / sizeof tcp_connect_reasons[0];
	const struct tcp_reason *reason = tcp_reason_find(tcp_connect_reasons, count, error_number);
	skiffi_address_text(address, text, sizeof text);
	if (error_number == ECONNREFUSED || error_number == ENOENT)
		snprintf(ask, sizeof ask, "; is the %s running, and %s?", whose,
			error_number == ENOENT ? "does it listen there" : "is this its port");
	skiffi_fail(error, reason ? reason->code : SKIFF_TCP_FAILED, error_number, "cannot connect to %s: %s%s", text,
		reason ? reason->text : uv_strerror(-error_number), ask);
}

static void tcp_note_address(struct tcp *tcp, const struct skiffi_address *address)
{
	memcpy(&tcp->there, &address->storage, sizeof tcp->there);
}

static void tcp_address_text(const struct tcp *tcp, char *out, size_t size)
{
	struct skiffi_address address = {.len = sizeof tcp->there};
	if (tcp->there.any.sa_family == AF_UNIX) {
		snprintf(out, size, "%s", tcp->base.config->endpoint->host);
		return;
	}
	memcpy(&address.storage, &tcp->there, sizeof tcp->there);
	skiffi_address_text(&address, out, size);
}

static void tcp_end_error(const struct tcp *tcp, struct skiff_error *error)
{
	char text[TCP_ADDRESS_TEXT_BYTES];
	size_t count = sizeof tcp_end_reasons / sizeof tcp_end_reasons[0];
	const struct tcp_reason *reason = tcp_reason_find(tcp_end_reasons, count, tcp->end_errno);
	tcp_address_text(tcp, text, sizeof text);
	if (reason)
		skiffi_fail(error, reason->code, tcp->end_errno, "%s %s", text, reason->text);
	else
		skiffi_fail(error, SKIFF_TCP_FAILED, tcp->end_errno, "connection to %s lost: %s", text,
			uv_strerror(-tcp->end_errno));
}

/* ---- sockets ---- */

static void socket_drop(struct tcp_socket *socket)
{
	skiffi_poll_give(socket->tcp->base.loop, socket->poll);
	close(socket->fd);
	skiffi_free(socket);
}

static int socket_error(const struct tcp_socket *socket)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	return error;
}

/* Says so while there still are some, once. */
static void socket_warn(int fd)
{
	static atomic_bool warned;
	struct rlimit limit;
	if (fd < TCP_WARN_FROM || atomic_load(&warned) || getrlimit(RLIMIT_NOFILE, &limit) ||
		(rlim_t)fd < limit.rlim_cur - limit.rlim_cur / 10 || atomic_exchange(&warned, true))
		return;
	skiffi_log(SKIFF_LOG_WARN, "transport",
		"%d of the %llu files that this process may have open are in use; raise its limit (ulimit -n) for more "
		"connections",
		fd + 1, (unsigned long long)limit.rlim_cur);
}

/* False with errno. */
static bool socket_bind(int fd, int family, const char *local)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	int on = 1;
	if (!local || family == AF_UNIX)
		return true;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (family == AF_INET && inet_pton(AF_INET, local, &v4.sin_addr) == 1)
		return !bind(fd, (struct sockaddr *)&v4, sizeof v4);
	if (family == AF_INET6 && inet_pton(AF_INET6, local, &v6.sin6_addr) == 1)
		return !bind(fd, (struct sockaddr *)&v6, sizeof v6);
	errno = EAFNOSUPPORT;
	return false;
}

/* A socket for `address`, polled later; NULL with errno. */
static struct tcp_socket *socket_new(struct tcp *tcp, size_t index, const struct skiffi_address *address)
{
	struct tcp_socket *self = skiffi_calloc(1, sizeof *self);
	if (!self) {
		errno = ENOMEM;
		return NULL;
	}
	self->tcp = tcp;
	self->index = index;
	self->fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool usable =
		self->fd >= 0 && socket_bind(self->fd, address->storage.ss_family, tcp->base.config->local_address);
	self->poll = usable ? skiffi_poll_take(tcp->base.loop, self->fd, self) : NULL;
	if (!self->poll) {
		int number = errno;
		if (self->fd >= 0)
			close(self->fd);
		skiffi_free(self);
		errno = number;
		return NULL;
	}
	socket_warn(self->fd);
	int on = 1;
	if (address->storage.ss_family != AF_UNIX)
		setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return self;
}

/* ---- connecting ---- */

static void connect_end(struct tcp *tcp)
{
	struct tcp_connect *connect = tcp->connect;
	tcp->connect = NULL;
	skiffi_race_end(&connect->race);
	skiffi_timer_give(tcp->base.loop, connect->soon);
	skiffi_free(connect);
}

/* Tells `failed`; only from the loop. */
static void tcp_fail(struct tcp *tcp, const struct skiff_error *error)
{
	tcp->state = TCP_STATE_ENDED;
	uv_timer_stop(&tcp->timer);
	skiffi_log(SKIFF_LOG_DEBUG, "transport", "%s", error->text);
	tcp->base.events->failed(tcp->base.user, error);
}

static void tcp_on_poll(uv_poll_t *poll, int status, int events);

static void connect_won(struct tcp_connect *connect, struct tcp_socket *socket)
{
	struct tcp *tcp = connect->tcp;
	connect->sockets[socket->index] = NULL;
	tcp->socket = socket;
	tcp_note_address(tcp, &connect->race.addresses.list[socket->index]);
	tcp->tcp_us = skiffi_now_us() - tcp->phase_us;
	skiffi_race_won(&connect->race, socket->index);
	connect_end(tcp);
	uv_timer_stop(&tcp->timer);
	tcp->state = TCP_STATE_OPEN;
	tcp->reading = true;
	tcp->mask = UV_READABLE;
	uv_poll_start(socket->poll, tcp->mask, tcp_on_poll);
	tcp->base.events->opened(tcp->base.user);
}

static void connect_failed(struct tcp_connect *connect, size_t index, int number)
{
	struct skiff_error error;
	const char *whose = connect->tcp->base.config->is_proxy ? "proxy" : "broker";
	skiffi_tcp_connect_error(&connect->race.addresses.list[index], number, whose, &error);
	skiffi_race_failed(&connect->race, index, &error);
}

/* `number`: 0, or errno. */
static void connect_answered(struct tcp_socket *socket, int number)
{
	struct tcp_connect *connect = socket->tcp->connect;
	if (!number) {
		connect_won(connect, socket);
		return;
	}
	size_t index = socket->index;
	connect->sockets[index] = NULL;
	socket_drop(socket);
	connect_failed(connect, index, number);
}

static void connect_on_poll(uv_poll_t *poll, int status, int events)
{
	struct tcp_socket *socket = poll->data;
	int number = socket_error(socket);
	(void)events;
	connect_answered(socket, number || !status ? number : EIO);
}

static void connect_on_ready(uv_timer_t *timer)
{
	struct tcp_connect *connect = timer->data;
	struct tcp_socket *socket = connect->ready;
	connect->ready = NULL;
	connect_answered(socket, 0);
}

/* A peer on this machine has answered by now: then there is nothing to be polled. */
static bool connect_is_ready(struct tcp_connect *connect, const struct tcp_socket *socket)
{
	struct pollfd poll_fd = {.fd = socket->fd, .events = POLLOUT};
	return !connect->ready && poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == POLLOUT;
}

static void connect_on_retry(uv_timer_t *timer);

/* Result: 0 when an answer will come, else errno. */
static int connect_try(struct tcp_connect *attempts, struct tcp_socket *socket)
{
	const struct skiffi_address *address = &attempts->race.addresses.list[socket->index];
	bool through = !connect(socket->fd, (const struct sockaddr *)&address->storage, address->len);
	if (!through && errno == EAGAIN && address->storage.ss_family == AF_UNIX)
		return -uv_timer_start(attempts->soon, connect_on_retry, TCP_RETRY_MS, 0);
	if (!through && errno != EINPROGRESS && errno != EINTR)
		return errno;
	if (!connect_is_ready(attempts, socket))
		return -uv_poll_start(socket->poll, UV_WRITABLE, connect_on_poll);
	attempts->ready = socket;
	return -uv_timer_start(attempts->soon, connect_on_ready, 0, 0);
}

static void connect_on_retry(uv_timer_t *timer)
{
	struct tcp_connect *connect = timer->data;
	struct tcp_socket *socket = connect->sockets[0];
	int number = connect_try(connect, socket);
	if (!number)
		return;
	connect->sockets[0] = NULL;
	socket_drop(socket);
	connect_failed(connect, 0, number);
}

static bool connect_begin(void *user, size_t index)
{
	struct tcp_connect *connect = user;
	const struct skiffi_address *address = &connect->race.addresses.list[index];
	tcp_note_address(connect->tcp, address);
	struct tcp_socket *socket = socket_new(connect->tcp, index, address);
	int number = socket ? connect_try(connect, socket) : errno;
	if (!number) {
		connect->sockets[index] = socket;
		return true;
	}
	if (socket)
		socket_drop(socket);
	connect_failed(connect, index, number);
	return false;
}

static void connect_cancel(void *user, size_t index)
{
	struct tcp_connect *connect = user;
	if (connect->ready == connect->sockets[index]) {
		uv_timer_stop(connect->soon);
		connect->ready = NULL;
	}
	socket_drop(connect->sockets[index]);
	connect->sockets[index] = NULL;
}

static void connect_lost(void *user, const struct skiff_error *error)
{
	struct tcp_connect *connect = user;
	struct tcp *tcp = connect->tcp;
	struct skiff_error copy = *error;
	connect_end(tcp);
	tcp_fail(tcp, &copy);
}

static const struct skiffi_race_ops connect_race_ops = {
	.begin = connect_begin,
	.cancel = connect_cancel,
	.lost = connect_lost,
};

static void connect_on_deadline(uv_timer_t *timer)
{
	struct tcp *tcp = timer->data;
	struct skiff_error error;
	char text[TCP_ADDRESS_TEXT_BYTES];
	size_t count = tcp->connect->race.addresses.count;
	tcp_address_text(tcp, text, sizeof text);
	skiffi_fail(&error, SKIFF_TCP_TIMEOUT, 0, "cannot connect to %s: no answer within %d ms; %s", text,
		tcp->base.config->timeouts.tcp_ms,
		tcp->there.any.sa_family == AF_UNIX ? "the broker does not take the connections that wait for it"
						    : "a firewall on the way may drop the packets");
	if (count > 1)
		skiffi_error_prefix(&error, "none of %zu addresses works", count);
	skiffi_race_stop(&tcp->connect->race);
	connect_end(tcp);
	tcp_fail(tcp, &error);
}

static bool connect_new(struct tcp *tcp)
{
	struct tcp_connect *connect = skiffi_calloc(1, sizeof *connect);
	if (!connect)
		return false;
	connect->tcp = tcp;
	connect->soon = skiffi_timer_take(tcp->base.loop, connect);
	if (connect->soon && skiffi_race_init(&connect->race, tcp->base.loop, &connect_race_ops, connect)) {
		tcp->connect = connect;
		return true;
	}
	skiffi_timer_give(tcp->base.loop, connect->soon);
	skiffi_free(connect);
	return false;
}

static void tcp_on_addresses(void *user, const struct skiffi_addresses *addresses, const struct skiff_error *error)
{
	struct tcp *tcp = user;
	struct tcp_connect *connect = tcp->connect;
	int64_t now = skiffi_now_us();
	tcp->resolve = NULL;
	if (error) {
		connect_end(tcp);
		tcp_fail(tcp, error);
		return;
	}
	tcp->dns_us = now - tcp->phase_us;
	tcp->phase_us = now;
	tcp->state = TCP_STATE_CONNECTING;
	if (tcp->base.config->timeouts.tcp_ms >= 0)
		uv_timer_start(&tcp->timer, connect_on_deadline, (uint64_t)tcp->base.config->timeouts.tcp_ms, 0);
	skiffi_race_start(&connect->race, addresses);
}

static bool tcp_open(struct skiffi_transport *transport)
{
	const struct skiffi_transport_config *config = transport->config;
	struct tcp *tcp = tcp_of(transport);
	if (!connect_new(tcp))
		return false;
	tcp->phase_us = skiffi_now_us();
	struct skiffi_resolve_wish wish = {config->address, config->ip_version, config->timeouts.resolve_ms};
	tcp->resolve = skiffi_resolve_start(transport->loop, config->endpoint, &wish, tcp_on_addresses, tcp);
	if (!tcp->resolve) {
		connect_end(tcp);
		return false;
	}
	uv_timer_init(&transport->loop->uv, &tcp->timer);
	tcp->timer.data = tcp;
	tcp->state = TCP_STATE_RESOLVING;
	return true;
}

/* ---- the stream ---- */

static void tcp_update_poll(struct tcp *tcp)
{
	int mask = (tcp->reading ? UV_READABLE : 0) | (tcp->want_write ? UV_WRITABLE : 0);
	if (mask == tcp->mask || tcp->ending)
		return;
	tcp->mask = mask;
	if (mask)
		uv_poll_start(tcp->socket->poll, mask, tcp_on_poll);
	else
		uv_poll_stop(tcp->socket->poll);
}

/* Has what arrived before the end read, then tells the end. Only from the loop. */
static void tcp_finish(struct tcp *tcp)
{
	struct skiff_error error;
	uv_poll_stop(tcp->socket->poll);
	do {
		tcp->progress = false;
		if (tcp->reading && !tcp->recv_over)
			tcp->base.events->readable(tcp->base.user);
	} while (tcp->progress && tcp->state == TCP_STATE_OPEN);
	if (tcp->state != TCP_STATE_OPEN)
		return;
	tcp_end_error(tcp, &error);
	tcp_fail(tcp, &error);
}

static void tcp_on_end(uv_timer_t *timer)
{
	tcp_finish(timer->data);
}

/* Notes the first reason for the end; `failed` follows from the loop. */
static void tcp_end(struct tcp *tcp, int number)
{
	if (tcp->ending)
		return;
	tcp->ending = true;
	tcp->end_errno = number;
	uv_timer_start(&tcp->timer, tcp_on_end, 0, 0);
}

static void tcp_on_poll(uv_poll_t *poll, int status, int events)
{
	struct tcp_socket *socket = poll->data;
	struct tcp *tcp = socket->tcp;
	if (status < 0) {
		tcp_end(tcp, socket_error(socket));
		tcp_finish(tcp);
		return;
	}
	if (events & UV_WRITABLE && tcp->want_write) {
		tcp->want_write = false;
		tcp->base.events->writable(tcp->base.user);
	}
	if (events & UV_READABLE && tcp->state == TCP_STATE_OPEN && tcp->reading)
		tcp->base.events->readable(tcp->base.user);
	if (tcp->state != TCP_STATE_OPEN)
		return;
	if (tcp->ending)
		tcp_finish(tcp);
	else
		tcp_update_poll(tcp);
}

static ptrdiff_t tcp_recv(struct skiffi_transport *transport, void *data, size_t len)
{
	struct tcp *tcp = tcp_of(transport);
	ssize_t got;
	if (tcp->state != TCP_STATE_OPEN || tcp->recv_over)
		return tcp->state < TCP_STATE_OPEN ? 0 : -1;
	do
		got = recv(tcp->socket->fd, data, len, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		tcp->progress = true;
		tcp->received += (uint64_t)got;
		return got;
	}
	if (!len)
		return 0;
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	tcp_end(tcp, got < 0 ? errno : 0);
	tcp->recv_over = true;
	return -1;
}

/* One sendmsg; what the kernel does not take, or -1 with the end noted. */
static ptrdiff_t tcp_send_some(struct tcp *tcp, const struct iovec *pieces, size_t count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = count};
	ssize_t sent;
	do
		sent = sendmsg(tcp->socket->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS))
		return 0;
	if (sent < 0)
		tcp_end(tcp, errno);
	else
		tcp->sent += (uint64_t)sent;
	return sent;
}

static ptrdiff_t tcp_send(struct skiffi_transport *transport, const struct iovec *pieces, size_t count)
{
	struct tcp *tcp = tcp_of(transport);
	ptrdiff_t taken = 0;
	if (tcp->state != TCP_STATE_OPEN || tcp->ending)
		return tcp->state < TCP_STATE_OPEN ? 0 : -1;
	while (count) {
		size_t some = count < IOV_MAX ? count : IOV_MAX, asked = 0;
		for (size_t i = 0; i < some; i++)
			asked += pieces[i].iov_len;
		ptrdiff_t sent = asked ? tcp_send_some(tcp, pieces, some) : 0;
		if (sent < 0)
			return taken ? taken : -1;
		taken += sent;
		if ((size_t)sent < asked) {
			tcp->want_write = true;
			tcp_update_poll(tcp);
			break;
		}
		pieces += some;
		count -= some;
	}
	return taken;
}

static void tcp_reading(struct skiffi_transport *transport, bool on)
{
	struct tcp *tcp = tcp_of(transport);
	tcp->reading = on;
	if (tcp->state == TCP_STATE_OPEN)
		tcp_update_poll(tcp);
}

static void tcp_info(const struct skiffi_transport *transport, struct skiff_connection *connection)
{
	const struct tcp *tcp = tcp_of(transport);
	bool local = transport->config->endpoint->kind == SKIFFI_UNIX;
	connection->phases.dns_us = local ? -1 : tcp->dns_us;
	connection->phases.tcp_us = tcp->tcp_us;
	if (tcp->there.any.sa_family != AF_UNSPEC)
		tcp_address_text(tcp, connection->address, sizeof connection->address);
}

static void tcp_traffic(const struct skiffi_transport *transport, uint64_t *out, uint64_t *in)
{
	const struct tcp *tcp = tcp_of(transport);
	*out = tcp->sent;
	*in = tcp->received;
}

/* ---- the end ---- */

/* A close with bytes unread would reset the connection, and the peer may lose what it has not read yet. */
static void socket_finish(struct tcp_socket *socket)
{
	char dropped[TCP_DISCARD_BYTES];
	for (int i = 0; i < TCP_DISCARD_TIMES; i++)
		if (recv(socket->fd, dropped, sizeof dropped, 0) <= 0)
			return;
}

static void socket_abort(struct tcp_socket *socket)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void tcp_timer_closed(uv_handle_t *timer)
{
	struct tcp *tcp = timer->data;
	tcp->state = TCP_STATE_CLOSED;
	tcp->base.events->closed(tcp->base.user);
}

static void tcp_close(struct skiffi_transport *transport, bool abort)
{
	struct tcp *tcp = tcp_of(transport);
	assert(tcp->state != TCP_STATE_NEW && tcp->state < TCP_STATE_CLOSING);
	if (tcp->state == TCP_STATE_RESOLVING) {
		skiffi_resolve_cancel(tcp->resolve);
		connect_end(tcp);
	} else if (tcp->state == TCP_STATE_CONNECTING) {
		skiffi_race_stop(&tcp->connect->race);
		connect_end(tcp);
	} else if (tcp->socket) {
		if (abort)
			socket_abort(tcp->socket);
		else
			socket_finish(tcp->socket);
		socket_drop(tcp->socket);
		tcp->socket = NULL;
	}
	tcp->state = TCP_STATE_CLOSING;
	uv_close((uv_handle_t *)&tcp->timer, tcp_timer_closed);
}

static void tcp_free(struct skiffi_transport *transport)
{
	struct tcp *tcp = tcp_of(transport);
	assert(tcp->state == TCP_STATE_NEW || tcp->state == TCP_STATE_CLOSED);
	skiffi_free(tcp);
}

static const struct skiffi_transport_ops tcp_ops = {
	.name = "tcp",
	.open = tcp_open,
	.recv = tcp_recv,
	.send = tcp_send,
	.reading = tcp_reading,
	.info = tcp_info,
	.traffic = tcp_traffic,
	.close = tcp_close,
	.free = tcp_free,
};

struct skiffi_transport *skiffi_tcp_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user)
{
	struct tcp *tcp = skiffi_calloc(1, sizeof *tcp);
	if (!tcp)
		return NULL;
	tcp->base = (struct skiffi_transport){&tcp_ops, loop, config, events, user};
	tcp->dns_us = tcp->tcp_us = -1;
	return &tcp->base;
}
