/* SPDX-License-Identifier: Apache-2.0 */
/* lab_process.c: fork, exec, wait. Children are ended by process id, never by name.
 *
 * A child asks the kernel for its end with ours (PR_SET_PDEATHSIG) and then looks whether we had ended before it asked.
 */
#include "lab_process.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

void lab_signals_block(struct lab *lab)
{
	struct sigaction action;

	sigemptyset(&lab->signals);
	sigaddset(&lab->signals, SIGCHLD);
	signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(*ending_signals); i++) {
		/* nohup and shells that start us in the background have their reasons */
		if (sigaction(ending_signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&lab->signals, ending_signals[i]);
	}
	sigprocmask(SIG_BLOCK, &lab->signals, NULL);
}

static bool signal_note(struct lab *lab, int signal, const siginfo_t *info)
{
	if (signal <= 0 || signal == SIGCHLD)
		return false;
	lab->ended_by = signal;
	lab->ended_by_terminal = info->si_code == SI_KERNEL;
	return true;
}

bool lab_process_interrupted(struct lab *lab)
{
	const struct timespec now = {0};
	sigset_t ending = lab->signals;
	siginfo_t info;

	sigdelset(&ending, SIGCHLD);
	return lab->ended_by != 0 || signal_note(lab, sigtimedwait(&ending, &info, &now), &info);
}

bool lab_process_sleep(struct lab *lab, int ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	siginfo_t info;
	int signal = ms < 0 ? sigwaitinfo(&lab->signals, &info) : sigtimedwait(&lab->signals, &info, &time);

	return signal_note(lab, signal, &info);
}

/* Makes the child one that ends with its parent. */
static void child_tie(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0);
}

static void child_exec(struct lab *lab, const char *const argv[])
{
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &lab->signals, NULL);
	execvp(argv[0], (char *const *)argv);
}

static bool child_redirect(const char *log)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC),
	    out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	return in >= 0 && out >= 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0;
}

pid_t lab_process_start(struct lab *lab, const char *const argv[], const char *log)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0) {
		lab_fail(lab, "cannot start '%s': %s", argv[0], strerror(errno));
		return -1;
	}
	if (pid == 0) {
		child_tie(parent);
		if (child_redirect(log) && chdir(lab->dir) == 0) {
			child_exec(lab, argv);
			dprintf(2, "Error: cannot run '%s': %s\n", argv[0], strerror(errno));
		}
		_exit(127);
	}
	return pid;
}

pid_t lab_process_fork(struct lab *lab)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		lab_fail(lab, "cannot start a process: %s", strerror(errno));
	if (pid == 0) {
		child_tie(parent);
		sigprocmask(SIG_UNBLOCK, &lab->signals, NULL);
	}
	return pid;
}

pid_t lab_process_start_command(struct lab *lab, const char *const argv[])
{
	pid_t pid = fork();

	if (pid < 0) {
		lab_fail(lab, "cannot start '%s': %s", argv[0], strerror(errno));
		return -1;
	}
	if (pid == 0) {
		child_exec(lab, argv);
		int reason = errno;
		dprintf(2, "skiff lab: cannot run '%s': %s\n", argv[0], strerror(reason));
		_exit(reason == ENOENT ? 127 : 126);
	}
	return pid;
}

static int shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int lab_process_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 1;
	}
	return shell_status(status);
}

bool lab_process_ended(pid_t *pid, int *status)
{
	int raw;

	if (*pid <= 0 || waitpid(*pid, &raw, WNOHANG) != *pid)
		return false;
	*pid = 0;
	*status = shell_status(raw);
	return true;
}

void lab_process_stop(pid_t *pid)
{
	const struct timespec step = {.tv_nsec = 10000000};
	int status;

	if (*pid <= 0)
		return;
	kill(*pid, SIGTERM);
	for (int i = 0; i < 300; i++) {
		if (lab_process_ended(pid, &status))
			return;
		nanosleep(&step, NULL);
	}
	kill(*pid, SIGKILL);
	lab_process_wait(*pid);
	*pid = 0;
}
