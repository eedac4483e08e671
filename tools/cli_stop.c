/* SPDX-License-Identifier: Apache-2.0 */
/* cli_stop.c: the one way in which a running command is told to end. The state belongs to the process, as signals do.
 */
#include "cli_stop.h"
#include "cli_exit.h"
#include "cli_output.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	pthread_mutex_t lock; /* guards all below but `signals`, `deadline` and the pipe, which are set before any
				 thread runs */
	atomic_int code;
	cli_stop_fn notify;
	void *user;
	cli_stop_fn hangup;
	void *hangup_user;
	bool terminal[3];  /* standard streams that were on one */
	bool ends_without; /* and whose end is the command's */
	bool hangup_ends;  /* SIGHUP is no more than that */
	sigset_t signals;
	struct timespec deadline; /* CLOCK_MONOTONIC; 0: none */
	int pipe[2];
} stop = {.lock = PTHREAD_MUTEX_INITIALIZER, .code = -1, .pipe = {-1, -1}};

void cli_stop(int code)
{
	pthread_mutex_lock(&stop.lock);
	if (stop.code < 0) {
		stop.code = code;
		ssize_t written = write(stop.pipe[1], "", 1);
		(void)written; /* an empty pipe takes a byte */
		if (stop.notify)
			stop.notify(stop.user);
		stop.notify = NULL;
	}
	pthread_mutex_unlock(&stop.lock);
}

int cli_stop_code(void)
{
	return atomic_load(&stop.code);
}

int cli_stop_fd(void)
{
	return stop.pipe[0];
}

void cli_stop_notify(cli_stop_fn fn, void *user)
{
	pthread_mutex_lock(&stop.lock);
	if (fn && stop.code >= 0) {
		fn(user);
	} else {
		stop.notify = fn;
		stop.user = user;
	}
	pthread_mutex_unlock(&stop.lock);
}

bool cli_stop_wait(int fd, short events)
{
	struct pollfd fds[] = {{.fd = stop.pipe[0], .events = POLLIN}, {.fd = fd, .events = events}};
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return fds[0].revents == 0;
}

bool cli_stop_pause(double ms)
{
	struct pollfd stopped = {.fd = stop.pipe[0], .events = POLLIN};
	struct timespec time = {.tv_sec = (time_t)(ms / 1000)};
	time.tv_nsec = (long)((ms - (double)time.tv_sec * 1000) * 1000000);
	while (ppoll(&stopped, 1, ms < 0 ? NULL : &time, NULL) < 0 && errno == EINTR)
		;
	return stopped.revents == 0;
}

/* Waits for a signal until the deadline. Result: the signal, or -1 when time ran out. */
static int stop_next_signal(void)
{
	for (;;) {
		struct timespec now, left;
		int number;
		if (stop.deadline.tv_sec == 0) {
			number = sigwaitinfo(&stop.signals, NULL);
		} else {
			clock_gettime(CLOCK_MONOTONIC, &now);
			left.tv_sec = stop.deadline.tv_sec - now.tv_sec;
			left.tv_nsec = stop.deadline.tv_nsec - now.tv_nsec;
			if (left.tv_nsec < 0) {
				left.tv_sec--;
				left.tv_nsec += 1000000000;
			}
			if (left.tv_sec < 0)
				return -1;
			number = sigtimedwait(&stop.signals, NULL, &left);
		}
		if (number > 0)
			return number;
	}
}

void cli_stop_on_hangup(cli_stop_fn fn, void *user)
{
	pthread_mutex_lock(&stop.lock);
	stop.hangup = fn;
	stop.hangup_user = user;
	pthread_mutex_unlock(&stop.lock);
}

/* Nobody is left to read what a command says once its terminal has gone; nohup has it go on. */
static void stop_look_at_terminal(void)
{
	struct sigaction old;
	for (int fd = 0; fd < 3; fd++)
		stop.terminal[fd] = isatty(fd);
	stop.ends_without = sigaction(SIGHUP, NULL, &old) || old.sa_handler != SIG_IGN;
}

static bool stop_terminal_is_gone(void)
{
	bool had = false, has = false;
	for (int fd = 0; fd < 3; fd++) {
		had |= stop.terminal[fd];
		has |= stop.terminal[fd] && isatty(fd);
	}
	return had && !has;
}

/* Whether SIGHUP leaves the command running. */
static bool stop_hangup(void)
{
	if (stop.ends_without && (stop.hangup_ends || stop_terminal_is_gone()))
		return false;
	pthread_mutex_lock(&stop.lock);
	bool reads = stop.hangup != NULL;
	if (reads)
		stop.hangup(stop.hangup_user);
	pthread_mutex_unlock(&stop.lock);
	return reads || !stop.ends_without || !(stop.terminal[0] || stop.terminal[1] || stop.terminal[2]);
}

static void *stop_watch(void *unused)
{
	(void)unused;
	bool signalled = false;
	for (;;) {
		int number = stop_next_signal();
		if (number < 0) {
			stop.deadline = (struct timespec){0};
			cli_stop(CLI_EXIT_TIMEOUT);
			continue;
		}
		if (number == SIGHUP && stop_hangup())
			continue;
		if (number == SIGHUP && signalled)
			continue; /* of a terminal that goes, the kernel and the shell in it both tell */
		if (signalled)
			_exit(128 + number);
		signalled = true;
		cli_stop(128 + number);
	}
	return NULL;
}

static bool stop_start(long long seconds)
{
	pthread_t thread;
	if (pipe(stop.pipe) != 0)
		return false;
	sigemptyset(&stop.signals);
	sigaddset(&stop.signals, SIGINT);
	sigaddset(&stop.signals, SIGTERM);
	stop_look_at_terminal();
	sigaddset(&stop.signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &stop.signals, NULL);
	if (seconds > 0) {
		clock_gettime(CLOCK_MONOTONIC, &stop.deadline);
		stop.deadline.tv_sec += seconds;
	}
	errno = pthread_create(&thread, NULL, stop_watch, NULL);
	if (errno == 0)
		pthread_detach(thread);
	return errno == 0;
}

int cli_stop_start(const struct cli_context *context, long long seconds)
{
	stop.hangup_ends = context->mosquitto; /* as theirs */
	if (stop_start(seconds))
		return CLI_EXIT_OK;
	cli_say(context, "cannot watch for signals: %s", strerror(errno));
	return CLI_EXIT_FAILURE;
}

void cli_stop_say(const struct cli_context *context, int code, long long seconds, const char *more)
{
	if (code == CLI_EXIT_TIMEOUT && cli_stop_code() == code)
		cli_say(context, "time is up after %lld second%s%s", seconds, seconds == 1 ? "" : "s", more);
}
