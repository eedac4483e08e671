/* SPDX-License-Identifier: Apache-2.0 */
/* lab_namespace.c: unshare(2), loopback up, two files of /etc covered.
 *
 * The files are covered in this process' view only, which ends with its last process; nothing is left to undo. Beside
 * /etc/hosts it is nsswitch.conf, lest names be asked of a daemon outside, which would give the real address. */
#include "lab_namespace.h"
#include "lab_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

bool lab_namespace_name_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

	return *name != '\0' && *name != '-' && *name != '.' && strlen(name) < 254 &&
	       strspn(name, allowed) == strlen(name);
}

static bool proc_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Inside, the user and the group keep their numbers; all others are nobody. */
static bool users_map(uid_t uid, gid_t gid)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1\n", (unsigned)uid, (unsigned)uid);
	snprintf(groups, sizeof(groups), "%u %u 1\n", (unsigned)gid, (unsigned)gid);
	return proc_write("/proc/self/uid_map", users) && proc_write("/proc/self/setgroups", "deny") &&
	       proc_write("/proc/self/gid_map", groups);
}

static bool namespaces_new(struct lab *lab)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0 && unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 && users_map(uid, gid))
		return true;
	return lab_fail(lab,
		"cannot make a private network for '%s': %s; be root, allow user namespaces, or leave out --as",
		lab->as, strerror(errno));
}

static bool loopback_up(struct lab *lab)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;

	request.ifr_flags |= IFF_UP;
	up = up && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	if (!up)
		lab_fail(lab, "cannot bring up loopback in the private network: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return up;
}

/* Lays the lab's file `name` over `over`. */
static bool file_cover(struct lab *lab, const char *name, const char *text, const char *over)
{
	char path[LAB_PATH_BYTES];

	if (!lab_path(lab, path, name) || !lab_dir_write(lab, name, text))
		return false;
	chmod(path, 0644);
	if (mount(path, over, NULL, MS_BIND, NULL) < 0)
		return lab_fail(lab, "cannot cover '%s' for this lab: %s", over, strerror(errno));
	return true;
}

bool lab_namespace_enter(struct lab *lab)
{
	char hosts[512];

	snprintf(hosts, sizeof(hosts), "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 %s\n", lab->as);
	if (!namespaces_new(lab) || !loopback_up(lab))
		return false;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return lab_fail(lab, "cannot make a private view of the files: %s", strerror(errno));
	if (!file_cover(lab, "hosts", hosts, "/etc/hosts"))
		return false;
	return access("/etc/nsswitch.conf", F_OK) < 0 ||
	       file_cover(lab, "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n", "/etc/nsswitch.conf");
}
