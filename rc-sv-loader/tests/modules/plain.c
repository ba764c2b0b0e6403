/*
 * A module that keeps all promises, as C11 or C++17: it starts a daemon, knows it by a file in
 * SVCDIR, and has no supervisor. With -DWRONG_<something> it breaks exactly one promise.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "rc_sv_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef NAME
#define NAME "plain"
#endif
#ifndef CAPS
#define CAPS (RC_SV_CAP_OWNS_PROCESS | RC_SV_CAP_SIGNAL)
#endif
/* Slots that wide.c fills. */
#ifndef RELOAD
#define RELOAD NULL
#define WAIT NULL
#define FORGET NULL
#define LIST NULL
#define WATCH_OPEN NULL
#define WATCH_NEXT NULL
#define WATCH_CLOSE NULL
#endif

RC_SV_NOTE(NAME, CAPS);

/* How long a call without a time-out of its own may take, milliseconds. */
#define PATIENCE 10000

struct rc_sv_instance {
	const struct rc_sv_host *host;
};

static rc_sv_result fail(struct rc_sv_error *error, rc_sv_result code, const char *what)
{
	if (error) {
		error->code = code;
		error->os_errno = code == RC_SV_E_IO ? errno : 0;
		snprintf(error->message, sizeof(error->message), "%s", what);
#ifdef WRONG_ERROR_UNTERMINATED
		memset(error->message, 'x', sizeof(error->message));
#endif
#ifdef WRONG_ERROR_LINES
		snprintf(error->message, sizeof(error->message), "no\nno\nno");
#endif
#ifdef WRONG_ERROR_ENCODING
		snprintf(error->message, sizeof(error->message), "caf\xe9");
#endif
#ifdef WRONG_ERROR_EMPTY
		error->message[0] = 0;
#endif
#ifdef WRONG_ERROR_CODE
		error->code = RC_SV_E_NOMEM;
#endif
#ifdef WRONG_ERROR_BEYOND
		memset(error->message, 0, sizeof(error->message) + 16);
#endif
	}
	return code;
}

static const char *text(struct rc_sv_instance *self, const struct rc_sv_spec *spec, const char *key)
{
	const char *value = self->host->spec_str(self->host, spec, key);
	return value ? value : "";
}

static void file_of(struct rc_sv_instance *self, const struct rc_sv_spec *spec, char path[512])
{
	snprintf(path, 512, "%s/plain.%s", text(self, spec, "svcdir"), text(self, spec, "service"));
}

/* The daemon's pid: 0 when nobody has started it, -1 when it is dead. */
static int pid_of(struct rc_sv_instance *self, const struct rc_sv_spec *spec)
{
	char path[512], line[512];
	int pid = 0;
	FILE *file;
	file_of(self, spec, path);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (!fgets(line, sizeof(line), file) || !strrchr(line, ')') || strrchr(line, ')')[2] == 'Z')
		pid = -1;
	fclose(file);
	return pid;
}

static int patience(const struct rc_sv_req *request)
{
	return request && request->timeout_ms ? (int)request->timeout_ms : PATIENCE;
}

static rc_sv_result plain_open(
	const struct rc_sv_host *host, struct rc_sv_instance **instance, struct rc_sv_error *error)
{
#ifdef WRONG_OPEN_HOLLOW
	(void)host, (void)instance, (void)error;
	return RC_SV_OK;
#endif
	*instance = (struct rc_sv_instance *)malloc(sizeof(**instance));
	if (!*instance)
		return fail(error, RC_SV_E_NOMEM, "out of memory");
	(*instance)->host = host;
	return RC_SV_OK;
}

static void plain_close(struct rc_sv_instance *self)
{
	free(self);
}

static rc_sv_result plain_probe(
	struct rc_sv_instance *self, uint64_t *caps, struct rc_sv_error *error)
{
	(void)self, (void)error;
#ifdef WRONG_PROBE_CAPS
	if (caps)
		*caps = CAPS | RC_SV_CAP_HEALTH;
	return RC_SV_OK;
#endif
#ifdef WRONG_PROBE_CRASHES
	abort();
#endif
#ifdef WRONG_PROBE_THROWS
	throw 1;
#endif
#ifdef WRONG_PROBE_EXITS
	exit(3);
#endif
#ifdef WRONG_PROBE_NUMBER
	return 77;
#endif
#ifdef WRONG_PROBE_HOSTS_NUMBER
	return fail(error, RC_SV_E_CRASHED, "crashed");
#endif
	if (caps)
		*caps = CAPS;
	return RC_SV_OK;
}

/* What the processes of a launch write: the daemon's pid, or why it is none. */
struct word {
	int pid, reason;
};

/* Becomes the daemon. Only system calls from here on. */
static void become(char *const *argv, char *const *environment, int report)
{
	struct word word = {0, 0};
	int null = open("/dev/null", O_RDWR);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	execve(argv[0], argv, environment);
	word.reason = errno;
	_exit(write(report, &word, sizeof(word)) == sizeof(word) ? 127 : 126);
}

/* Forks twice, so that the daemon is nobody's child here. Its pid, or -1 with errno. */
static int launch(char *const *argv, char *const *environment)
{
	struct word word = {0, 0}, sum = {0, 0};
	int ends[2], status;
	pid_t child;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		word.pid = fork();
		if (word.pid == 0)
			become(argv, environment, ends[1]);
		_exit(write(ends[1], &word, sizeof(word)) == sizeof(word) ? 0 : 1);
	}
	close(ends[1]);
	if (child > 0)
		waitpid(child, &status, 0);
	while (read(ends[0], &word, sizeof(word)) == sizeof(word)) {
		sum.pid += word.pid;
		sum.reason += word.reason;
	}
	close(ends[0]);
	if (sum.pid > 0 && sum.reason == 0)
		return sum.pid;
	errno = sum.reason ? sum.reason : EAGAIN;
	return -1;
}

static rc_sv_result plain_start(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	const struct rc_sv_host *host = self->host;
	const char *const *argv = host->spec_list(host, spec, "argv", NULL);
	const char *const *environment = host->spec_list(host, spec, "environment", NULL);
	static const char *const nothing[] = {NULL};
	char path[512], message[200];
	FILE *file;
	int pid = pid_of(self, spec);
	if (!argv || !argv[0])
		return fail(error, RC_SV_E_INVALID, "there is no argv; name a program in command");
#ifdef WRONG_START_CRASHES
	*(volatile int *)8 = 1;
#endif
#ifndef WRONG_START_AGAIN
	if (pid > 0)
		return RC_SV_OK;
#endif
#ifndef WRONG_DRY_RUN
	if (request && request->flags & RC_SV_RQ_DRY_RUN)
		return RC_SV_OK;
#else
	(void)request;
#endif
#ifdef WRONG_START_DELEGATES
	return RC_SV_DELEGATE;
#endif
	pid = launch((char *const *)argv, (char *const *)(environment ? environment : nothing));
	if (pid < 0) {
		snprintf(message, sizeof(message), "cannot execute %.100s: %s", argv[0], strerror(errno));
#ifdef WRONG_START_OF_NOTHING
		return RC_SV_OK;
#endif
		return fail(error, RC_SV_E_FAILED, message);
	}
	file_of(self, spec, path);
	file = fopen(path, "we");
	if (!file)
		return fail(error, RC_SV_E_IO, "cannot write the state");
#ifdef WRONG_PID
	pid = 1;
#endif
	fprintf(file, "%d\n", pid);
	fclose(file);
#ifdef WRONG_DESCRIPTOR
	open("/dev/null", O_RDONLY);
#endif
#ifdef WRONG_DIRECTORY
	if (chdir("/tmp") < 0)
		return fail(error, RC_SV_E_IO, "cannot change the directory");
#endif
#ifdef WRONG_UMASK
	umask(0123);
#endif
#ifdef WRONG_HANDLER
	signal(SIGCHLD, SIG_IGN);
#endif
#ifdef WRONG_CHILD
	if (fork() == 0)
		_exit(0);
#endif
#ifdef WRONG_STDOUT
	printf("started\n");
	fflush(stdout);
#endif
#ifdef WRONG_STDERR
	fprintf(stderr, "started\n");
#endif
#ifdef WRONG_ENVIRONMENT
	setenv("PLAIN", "1", 1);
#endif
	return RC_SV_OK;
}

static rc_sv_result plain_stop(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	char path[512];
	int pid = pid_of(self, spec), ended = 1;
	if (pid > 0) {
		struct pollfd wait = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
		kill(pid, SIGTERM);
#ifdef WRONG_TIMEOUT
		request = NULL;
#endif
		/* valgrind does not have pidfd_open: looks now and then. */
		for (int left = patience(request); wait.fd < 0 && left > 0 && pid_of(self, spec) > 0; left -= 10)
			poll(NULL, 0, 10);
		ended = wait.fd < 0 ? pid_of(self, spec) <= 0 : poll(&wait, 1, patience(request)) > 0;
		if (wait.fd >= 0)
			close(wait.fd);
	}
#ifdef WRONG_STOP_LIES
	ended = 1;
#endif
	if (!ended)
		return fail(error, RC_SV_E_TIMEOUT, "it still runs");
	file_of(self, spec, path);
#ifndef WRONG_STOP_FORGETS
	unlink(path);
#endif
	return RC_SV_OK;
}

static rc_sv_result plain_status(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct rc_sv_status *status, struct rc_sv_error *error)
{
	int pid = pid_of(self, spec);
	(void)error;
	status->valid = RC_SV_ST_STATE;
	status->state = pid > 0 ? RC_SV_STATE_UP : pid < 0 ? RC_SV_STATE_DOWN : RC_SV_STATE_UNMANAGED;
	if (pid > 0) {
		status->valid |= RC_SV_ST_PID;
		status->pid = pid;
	}
#ifdef WRONG_STATUS_UNKNOWN
	return fail(error, RC_SV_E_NOT_FOUND, "no such service");
#endif
#ifdef WRONG_STATUS_DEAD
	if (pid < 0)
		status->state = RC_SV_STATE_UP;
#endif
#ifdef WRONG_STATUS_PID
	status->valid |= RC_SV_ST_PID;
	status->pid = -1;
#endif
#ifdef WRONG_STATUS_STATE
	status->state = 99;
#endif
#ifdef WRONG_STATUS_BITS
	status->valid |= 0x8000u;
#endif
#ifdef WRONG_STATUS_UNTERMINATED
	memset(status->detail, 'x', sizeof(status->detail));
#endif
#ifdef WRONG_STATUS_SIZE
	memset(status->detail, 0, sizeof(status->detail) + 16);
#endif
	return RC_SV_OK;
}

static rc_sv_result plain_signal(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	int pid = pid_of(self, spec);
#ifdef WRONG_SIGNAL
	return RC_SV_OK;
#endif
	if (pid <= 0)
		return fail(error, RC_SV_E_NOT_FOUND, "nothing runs");
	if (!request || kill(pid, request->signo) < 0)
		return fail(error, RC_SV_E_IO, "it cannot be signalled");
	return RC_SV_OK;
}

/* In the order of the struct, and without designators, so that it is C++ too. */
static const struct rc_sv_backend table = {
	RC_SV_MAGIC,
	sizeof(struct rc_sv_backend),
	RC_SV_ABI,
	sizeof(struct rc_sv_status),
	sizeof(struct rc_sv_error),
	RC_SV_LAYOUT,
	CAPS,
	NAME,
	"1.0",
	"one daemon, and nobody who looks after it",
	plain_open,
	plain_close,
	plain_probe,
	plain_start,
	plain_stop,
	plain_status,
	NULL, /* attach */
	NULL, /* detach */
	NULL, /* restart */
	RELOAD,
#ifdef WRONG_SLOT
	NULL,
#else
	plain_signal,
#endif
	WAIT,
	FORGET,
	LIST,
	WATCH_OPEN,
	WATCH_NEXT,
	WATCH_CLOSE,
	NULL, /* query */
};

#ifdef WRONG_CONSTRUCTOR
__attribute__((constructor)) static void crash(void)
{
	*(volatile int *)8 = 1;
}
#endif

#ifdef WRONG_EXPORTS
RC_SV_EXPORT int helper_of_plain(void);
RC_SV_EXPORT int helper_of_plain(void)
{
	return 1;
}
#endif

#ifdef __cplusplus
extern "C"
#endif
RC_SV_EXPORT const struct rc_sv_backend *rc_sv_backend_entry_v1(uint32_t host_abi)
{
#ifdef WRONG_ENTRY
	*(volatile int *)8 = 1;
#endif
	return host_abi >> 16 == RC_SV_ABI_MAJOR ? &table : NULL;
}
