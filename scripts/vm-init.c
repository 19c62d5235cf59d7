// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm-init - the first process of the test VM
 *
 * It lives in the initramfs that scripts/vm makes, in which
 *
 *	/near		is a layer over the host's files: those that are used most
 *	/modules	holds kernel modules to load, in the order of their names
 *	/vm/command	is the command and its arguments, each ended by a NUL
 *	/vm/environ	its environment, the same way
 *	/vm/cwd		the directory to run it in
 *	/vm/out		the host's directory to share for writing, if any
 *	/vm/libmodules	this kernel's lib/modules/RELEASE on the host, if any
 *	/vm/ko		the module to load before COMMAND, if any
 *
 * It puts a scratch layer over the host's files, runs COMMAND on them and passes
 * on what it writes. Then it ends all that COMMAND left running, unloads Ferry and
 * looks for what stays behind: a taint, or memory that nothing points to. What it
 * finds it writes to the kernel's log, as "vm: ...", for scripts/vm to see there.
 * The verdict goes out through a port of its own as the very last thing: a VM
 * that dies before that has none.
 *
 *	port		carries
 *	ferry.out	COMMAND's standard output
 *	ferry.err	COMMAND's standard error, and what goes wrong here
 *	ferry.verdict	"exit STATUS\n"
 *
 * On the host it prints how many kHz the time-stamp counter has, which the guest
 * reads too: a guest that measures that itself is wrong if the host has other work.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What scripts/vm calls a VM that could not be set up. */
#define EXIT_SETUP	125

#define LOG_CONSOLE_ALL	8
#define SYSLOG_CONSOLE_LEVEL	8

/* A module out of the kernel's tree (12), without a signature (13); KUnit's (18). */
#define TAINT_ALLOWED	(1UL << 12 | 1UL << 13 | 1UL << 18)

/* The kernel's own text ends before this, modules begin here or later. */
#define MODULES_START	0xffffffffa0000000ULL

/* How long the dying may take: 20 s, looked at every 10 ms. */
#define TICK_US		10000
#define PATIENCE_TICKS	2000

/* MSECS_MIN_AGE of the kernel's mm/kmemleak.c, in seconds. */
#define KMEMLEAK_MIN_AGE	5

static int out_port = -1, err_port = STDERR_FILENO, verdict_port = -1;

/* What /vm says, read before the host's files cover it. */
static struct {
	char **command, **env;
	char *cwd, *out, *libmodules, *ko;
} settings;

static void write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			data += n;
			len -= n;
		}
	}
}

/* Send the verdict and stop the machine. */
static void __attribute__((noreturn)) finish(int status)
{
	char text[32];

	snprintf(text, sizeof(text), "exit %d\n", status);
	write_all(verdict_port, text, strlen(text));
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	len = snprintf(text, sizeof(text), "vm: ");
	va_start(args, format);
	vsnprintf(text + len, sizeof(text) - len - 1, format, args);
	va_end(args);
	strcat(text, "\n");
	write_all(err_port, text, strlen(text));
	finish(EXIT_SETUP);
}

/* The contents of /vm/@name, or NULL if there is no such file. */
static char *setting(const char *name, size_t *len)
{
	char path[64];
	struct stat st;
	char *text;
	int fd;

	snprintf(path, sizeof(path), "/vm/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		fail("%s: %s.", path, strerror(errno));
	text = calloc(1, st.st_size + 1);
	if (!text || read(fd, text, st.st_size) != st.st_size)
		fail("%s cannot be read: %s.", path, strerror(errno));
	close(fd);
	if (len)
		*len = st.st_size;
	return text;
}

/* The NUL-ended strings of /vm/@name as a vector. */
static char **vector(const char *name)
{
	size_t len, pos, n = 0;
	char *text = setting(name, &len);
	char **v;

	if (!text)
		fail("The initramfs has no /vm/%s.", name);
	v = calloc(len + 1, sizeof(*v));
	for (pos = 0; v && pos < len; pos += strlen(text + pos) + 1)
		v[n++] = text + pos;
	return v;
}

static void make_dirs(const char *path)
{
	char part[PATH_MAX];
	char *slash;

	snprintf(part, sizeof(part), "%s", path);
	for (slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0755);
		*slash = '/';
	}
	mkdir(part, 0755);
}

static void mount_on(const char *source, const char *target, const char *type,
		     unsigned long flags, const char *data)
{
	make_dirs(target);
	if (mount(source, target, type, flags, data) < 0)
		fail("%s cannot be mounted on %s: %s.", source, target, strerror(errno));
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

static void load_drivers(void)
{
	struct dirent **names;
	char path[PATH_MAX];
	int i, n;

	n = scandir("/modules", &names, NULL, alphasort);
	for (i = 0; i < n; i++) {
		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		if (load(path) < 0 && errno != EEXIST)
			fail("%s cannot be loaded: %s.", path, strerror(errno));
	}
}

/* Open the virtio-serial port called @name. */
static int open_port(const char *name)
{
	const char *ports = "/sys/class/virtio-ports";
	char path[PATH_MAX], text[64];
	struct dirent *entry;
	DIR *dir = opendir(ports);
	int fd, n;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s/name", ports, entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0)
			continue;
		text[n] = '\0';
		text[strcspn(text, "\n")] = '\0';
		if (strcmp(text, name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		closedir(dir);
		return open(path, O_WRONLY | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return -1;
}

/* The ports come up a moment after their driver: wait until all have names. */
static void open_ports(void)
{
	int tries, err = -1;

	for (tries = 0; tries < 1000; tries++) {
		if (out_port < 0)
			out_port = open_port("ferry.out");
		if (verdict_port < 0)
			verdict_port = open_port("ferry.verdict");
		if (err < 0)
			err = open_port("ferry.err");
		if (out_port >= 0 && verdict_port >= 0 && err >= 0) {
			err_port = err;
			return;
		}
		usleep(10000);
	}
	fail("The VM's virtio ports did not come up.");
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	write_all(fd, text, strlen(text));
	close(fd);
}

/* The host's files under a scratch layer become the root. */
static void change_root(void)
{
	static const char * const moved[] = { "/dev", "/proc", "/sys" };
	char target[PATH_MAX];
	size_t i;

	mount_on("host", "/host", "9p", MS_RDONLY,
		 "trans=virtio,version=9p2000.L,msize=512000,cache=loose");
	mount_on("scratch", "/scratch", "tmpfs", 0, "mode=0755,size=75%");
	make_dirs("/scratch/upper");
	make_dirs("/scratch/work");
	mount_on("root", "/root", "overlay", 0,
		 "lowerdir=/near:/host,upperdir=/scratch/upper,workdir=/scratch/work");
	for (i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		snprintf(target, sizeof(target), "/root%s", moved[i]);
		mount_on(moved[i], target, NULL, MS_MOVE, NULL);
	}
	if (chdir("/root") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		fail("The root cannot be changed: %s.", strerror(errno));
	/* As an init does, so that namespaces' mounts see the host's. */
	mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL);
}

static void mount_all(void)
{
	mount_on("devpts", "/dev/pts", "devpts", 0, "mode=0620,ptmxmode=0666");
	mount_on("shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_on("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
	mount_on("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
}

/* Emulated CPUs that share a busy host are slow, but not hung. */
static void set_watchdogs(void)
{
	write_file("/proc/sys/kernel/watchdog_thresh", "30");
	write_file("/proc/sys/kernel/hung_task_timeout_secs", "60");
	write_file("/proc/sys/kernel/hung_task_warnings", "-1");
}

static void raise_loopback(void)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		fail("The loopback device does not come up: %s.", strerror(errno));
	close(fd);
}

static void share_out(const char *dir)
{
	mount_on("out", dir, "9p", 0, "trans=virtio,version=9p2000.L,msize=512000,cache=none");
}

/* A kernel without any has all that it can have: modprobe would look in vain. */
static void look_for_no_modules(void)
{
	write_file("/proc/sys/kernel/modprobe", "\n");
}

static void show_modules(const char *source)
{
	char target[PATH_MAX];

	snprintf(target, sizeof(target), "/lib/modules/%s", strrchr(source, '/') + 1);
	if (strcmp(source, target))
		mount_on(source, target, NULL, MS_BIND, NULL);
}

static void __attribute__((noreturn)) run(int out, int err)
{
	char **command = settings.command;

	int null = open("/dev/null", O_RDONLY);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (chdir(settings.cwd) < 0) {
		dprintf(STDERR_FILENO, "vm: %s cannot be entered: %s.\n", settings.cwd,
			strerror(errno));
		_exit(EXIT_SETUP);
	}
	environ = settings.env;
	execvp(command[0], command);
	dprintf(STDERR_FILENO, "vm: %s cannot be run: %s.\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Pass on what is in @from; false at its end or if it is empty for now. */
static int relay(int from, int to)
{
	static char buf[65536];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n > 0)
		write_all(to, buf, n);
	return n > 0 || (n < 0 && errno == EINTR);
}

/*
 * Relay COMMAND's output until it has ended, reaping orphans meanwhile. What it
 * left running may hold the pipes open for ever, so its end is what counts, and
 * then what the pipes hold at that moment.
 */
static int supervise(pid_t command, int out, int err, sigset_t *awake)
{
	struct pollfd fds[] = { { out, POLLIN, 0 }, { err, POLLIN, 0 } };
	int ports[] = { out_port, err_port };
	int i, status, ended = 0;
	pid_t pid;

	while (!ended) {
		if (ppoll(fds, 2, NULL, awake) > 0) {
			for (i = 0; i < 2; i++)
				if (fds[i].revents && !relay(fds[i].fd, ports[i]))
					fds[i].fd = -1;
		}
		while ((pid = waitpid(-1, &i, WNOHANG)) > 0) {
			if (pid == command) {
				status = i;
				ended = 1;
			}
		}
	}
	fcntl(out, F_SETFL, O_NONBLOCK);
	fcntl(err, F_SETFL, O_NONBLOCK);
	while (relay(out, out_port))
		;
	while (relay(err, err_port))
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void on_child(int signal)
{
	(void)signal;
}

/* Run COMMAND with its output in pipes, and give its exit status. */
static int run_command(void)
{
	struct sigaction action = { .sa_handler = on_child };
	sigset_t child, before;
	int out[2], err[2];
	pid_t pid;

	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		fail("No pipes for the command: %s.", strerror(errno));
	pid = fork();
	if (pid < 0)
		fail("No process for the command: %s.", strerror(errno));
	if (!pid) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		run(out[1], err[1]);
	}
	close(out[1]);
	close(err[1]);
	return supervise(pid, out[0], err[0], &before);
}

/* Write a line to the kernel's log, and so to the console. */
static void __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	write_file("/dev/kmsg", text);
}

static unsigned long taint(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtoul(text, NULL, 10);
}

static void check_taint(unsigned long before)
{
	unsigned long got = taint() & ~before & ~TAINT_ALLOWED;

	if (got)
		complain("<2>vm: the kernel has become tainted: %#lx\n", got);
}

/* End every process but this one. */
static void end_processes(void)
{
	int tries;

	for (tries = 0; tries < PATIENCE_TICKS; tries++) {
		kill(-1, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		usleep(TICK_US);
	}
	complain("<2>vm: a process cannot be killed\n");
}

/*
 * With no process left nothing may hold the module. Deleting it may wait for a
 * lost reference without end, so a child does it.
 */
static void unload_ferry(void)
{
	pid_t pid = fork();
	int tries, status;

	if (!pid) {
		for (tries = 0; tries < PATIENCE_TICKS; tries++) {
			if (!syscall(SYS_delete_module, "ferry", O_NONBLOCK) || errno == ENOENT)
				_exit(0);
			if (errno != EAGAIN)
				break;
			usleep(TICK_US);
		}
		_exit(1);
	}
	for (tries = 0; tries < 2 * PATIENCE_TICKS; tries++) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			if (status)
				complain("<2>vm: something still holds the module\n");
			return;
		}
		usleep(TICK_US);
	}
	complain("<2>vm: the module does not unload\n");
}

/*
 * A frame of a backtrace that has no name any more, but lies where modules do, was
 * a module's that is unloaded now: no other is, in this VM.
 */
static int names_module(const char *line)
{
	const char *frame = strstr(line, "] ");

	return frame && (strstr(frame, "[ferry") ||
			 strtoull(frame + 2, NULL, 16) >= MODULES_START);
}

/* Write the records of lost memory that name the module to the kernel's log. */
static void report_leaks(FILE *leaks)
{
	char line[256], record[64][256];
	int n = 0, ours = 0, i;

	for (;;) {
		int more = !!fgets(line, sizeof(line), leaks);

		if (!more || !strncmp(line, "unreferenced object", 19)) {
			for (i = 0; ours && i < n; i++)
				complain("<2>vm: %s%s", i ? "" : "leak: ", record[i]);
			n = 0;
			ours = 0;
		}
		if (!more)
			return;
		ours |= names_module(line);
		if (n < 64)
			strcpy(record[n++], line);
	}
}

/* kmemleak reports what two scans in a row have seen unreferenced. */
static void check_leaks(void)
{
	const char *kmemleak = "/sys/kernel/debug/kmemleak";
	FILE *leaks;

	if (access(kmemleak, W_OK) < 0)
		return;
	write_file(kmemleak, "scan");
	/* It lets young objects be: they may not have been stored yet. */
	sleep(KMEMLEAK_MIN_AGE);
	write_file(kmemleak, "scan");
	leaks = fopen(kmemleak, "re");
	if (!leaks)
		return;
	report_leaks(leaks);
	fclose(leaks);
}

static void read_settings(void)
{
	settings.command = vector("command");
	settings.env = vector("environ");
	settings.cwd = setting("cwd", NULL);
	settings.out = setting("out", NULL);
	settings.libmodules = setting("libmodules", NULL);
	settings.ko = setting("ko", NULL);
	if (!settings.cwd || !settings.command[0])
		fail("The initramfs names no command or no directory.");
}

/*
 * Under emulation a CPU may run into an int3 that the kernel, which patches its own
 * code, has already taken back: an oops of the emulator's making. The path of each
 * received packet is patched when the first socket wants time stamps, and when the
 * last one no longer does. One that always wants them leaves it alone.
 */
static void keep_stamping(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &one,
				 sizeof(one)))
		fail("Time stamps cannot be turned on: %s.", strerror(errno));
}

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The counter, and when it was read: of some readings the one that took least. */
static unsigned long long read_tsc(unsigned long long *when)
{
	unsigned long long tsc = 0, best = ULLONG_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		unsigned long long before = now_ns();
		unsigned long long now = __builtin_ia32_rdtsc();
		unsigned long long after = now_ns();

		if (after - before < best) {
			best = after - before;
			tsc = now;
			*when = before + best / 2;
		}
	}
	return tsc;
}

static int print_tsc_khz(void)
{
	unsigned long long from, to, tsc;

	tsc = read_tsc(&from);
	usleep(20000);
	tsc = read_tsc(&to) - tsc;
	printf("%llu\n", tsc * 1000000 / (to - from));
	return EXIT_SUCCESS;
}

int main(void)
{
	unsigned long before;
	int status;

	if (getpid() != 1)
		return print_tsc_khz();
	umask(0022);
	mount_on("dev", "/dev", "devtmpfs", 0, NULL);
	mount_on("proc", "/proc", "proc", 0, NULL);
	mount_on("sys", "/sys", "sysfs", 0, NULL);
	load_drivers();
	open_ports();
	read_settings();
	change_root();
	mount_all();
	set_watchdogs();
	sethostname("ferry", 5);
	raise_loopback();
	keep_stamping();
	if (settings.libmodules)
		show_modules(settings.libmodules);
	else
		look_for_no_modules();
	if (settings.out)
		share_out(settings.out);
	before = taint();
	klogctl(SYSLOG_CONSOLE_LEVEL, NULL, LOG_CONSOLE_ALL);
	if (settings.ko && load(settings.ko) < 0)
		fail("The module %s cannot be loaded: %s; the console's log says why.",
		     settings.ko, strerror(errno));
	status = run_command();
	end_processes();
	unload_ferry();
	check_leaks();
	check_taint(before);
	finish(status);
}
