/* SPDX-License-Identifier: Apache-2.0 */
/* peerd_conn.c: one connection's bytes, plain or through OpenSSL, and its unsent output. */
#include "peerd.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn *conn_new(int fd, int epoll, bool ws, SSL_CTX *tls)
{
	struct conn *conn = peerd_alloc(NULL, sizeof *conn);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};

	memset(conn, 0, sizeof *conn);
	conn->fd = fd;
	conn->epoll = epoll;
	conn->ws = ws;
	if (tls) {
		conn->ssl = SSL_new(tls);
		SSL_set_fd(conn->ssl, fd);
		SSL_set_accept_state(conn->ssl);
	}
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	return conn;
}

void conn_free(struct conn *conn)
{
	epoll_ctl(conn->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
	if (conn->ssl)
		SSL_shutdown(conn->ssl);
	SSL_free(conn->ssl);
	ERR_clear_error();
	close(conn->fd);
	source_free(conn->source);
	free(conn->part);
	free(conn->out);
	free(conn);
}

static long conn_tls_result(struct conn *conn, int result)
{
	int error;

	if (result > 0)
		return result;
	error = SSL_get_error(conn->ssl, result);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static long conn_socket_result(ssize_t result)
{
	if (result > 0)
		return result;
	return result < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

long conn_recv(struct conn *conn, void *buffer, size_t size)
{
	if (conn->ssl)
		return conn_tls_result(conn, SSL_read(conn->ssl, buffer, (int)size));
	return conn_socket_result(recv(conn->fd, buffer, size, 0));
}

long conn_send(struct conn *conn, const void *bytes, size_t len)
{
	if (conn->ssl)
		return conn_tls_result(conn, SSL_write(conn->ssl, bytes, (int)len));
	return conn_socket_result(send(conn->fd, bytes, len, MSG_NOSIGNAL));
}

void conn_queue(struct conn *conn, const void *bytes, size_t len)
{
	if (conn->out_len + len > conn->out_size) {
		conn->out_size = (conn->out_len + len) * 2;
		conn->out = peerd_alloc(conn->out, conn->out_size);
	}
	memcpy(conn->out + conn->out_len, bytes, len);
	conn->out_len += len;
}

void conn_want_write(struct conn *conn, bool want)
{
	struct epoll_event event = {.events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = conn};

	if (conn->want_write == want)
		return;
	conn->want_write = want;
	epoll_ctl(conn->epoll, EPOLL_CTL_MOD, conn->fd, &event);
}

int conn_flush(struct conn *conn)
{
	while (conn->out_start < conn->out_len) {
		long sent = conn_send(conn, conn->out + conn->out_start, conn->out_len - conn->out_start);

		if (sent < 0)
			return -1;
		if (sent == 0) {
			conn_want_write(conn, true);
			return 0;
		}
		conn->out_start += (size_t)sent;
	}
	conn->out_start = conn->out_len = 0;
	if (conn->source)
		return source_flush(conn);
	conn_want_write(conn, false);
	return 0;
}
