/*
 * rc_supervise_module="daemon": supervision by daemon(1), Debian's package of that name.
 *
 * Each service gets a daemon(1) of its own, which starts it, brings it back and writes to syslog.
 * A complete module in one file, to be used or to begin from.
 *
 * Settings of a service: command_user, directory, umask, output_log, error_log, rc_supervise_nice;
 * others are refused. Settings of [modules.daemon] in /etc/rc-sv.toml: program, where daemon(1) is;
 * acceptable, attempts, delay, limit, the numbers of its options. A stop is TERM, and KILL after 30
 * seconds.
 */
#define _GNU_SOURCE
#include <rc_sv_backend.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAME "daemon"
#define CAPS (RC_SV_CAP_OWNS_PROCESS | RC_SV_CAP_RESTARTS | RC_SV_CAP_GIVE_UP | RC_SV_CAP_SIGNAL)
enum { START_MS = 10000, TERM_MS = 30000, KILL_MS = 5000 };

RC_SV_NOTE(NAME, CAPS);

/* What open() makes and close() ends. The host and its texts of our own section outlive it. */
struct rc_sv_instance {
	const struct rc_sv_host *host;
	const char *program;
};

/* Every failure is one line: what is wrong, and what would be right. */
__attribute__((format(printf, 3, 4))) static rc_sv_result fail(
	struct rc_sv_error *error, rc_sv_result code, const char *format, ...)
{
	int cause = errno;
	va_list arguments;
	if (!error)
		return code;
	error->code = code;
	error->os_errno = code == RC_SV_E_IO ? cause : 0;
	error->exit_status = -1;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return code;
}

/* An argv or an environment in the making; one that gets too long remembers it. */
struct words {
	char *list[2048];
	char text[256 * 1024];
	size_t count, used;
	int full;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *words, const char *format, ...)
{
	size_t room = sizeof(words->text) - words->used;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(words->text + words->used, room, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= room || words->count > 2046) {
		words->full = 1;
		return;
	}
	words->list[words->count++] = words->text + words->used;
	words->used += (size_t)length + 1;
}

/* Where daemon(1) keeps NAME.pid, locked while it lives, and NAME.clientpid, the service's. */
struct place {
	const char *service;
	char directory[256], pid[512], client[512];
};

static rc_sv_result find_place(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct place *place, struct rc_sv_error *error)
{
	static const char letters[] =
		"-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *svcdir = self->host->spec_str(self->host, spec, "svcdir");
	const char *service = self->host->spec_str(self->host, spec, "service");
	if (!svcdir || !service || strlen(svcdir) > 200 || strlen(service) > 200)
		return fail(error, RC_SV_E_INVALID, "svcdir and service must be set, at most 200 bytes each");
	if (service[strspn(service, letters)])
		return fail(error, RC_SV_E_INVALID,
			"daemon(1) takes letters, digits, dots, dashes and underscores in a name");
	place->service = service;
	snprintf(place->directory, sizeof(place->directory), "%s/rc-sv-daemon", svcdir);
	snprintf(place->pid, sizeof(place->pid), "%s/%s.pid", place->directory, service);
	snprintf(place->client, sizeof(place->client), "%s/%s.clientpid", place->directory, service);
	return RC_SV_OK;
}

/* What is found there: pids, or 0. An orphan is a service whose daemon(1) was killed. */
struct facts {
	pid_t supervisor, client, orphan;
	int64_t since_ns;
};

/* Whoever holds the lock is it; the number in the file could be somebody else's by now. */
static pid_t find_supervisor(const struct place *place)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(place->pid, O_RDONLY | O_CLOEXEC);
	pid_t found = 0;
	if (fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		found = lock.l_pid;
	if (fd >= 0)
		close(fd);
	return found;
}

static void look(const struct place *place, struct facts *facts)
{
	int client = 0, parent = 0;
	char path[64], line[256], state, *end;
	struct stat status;
	FILE *file;
	memset(facts, 0, sizeof(*facts));
	facts->supervisor = find_supervisor(place);
	file = fopen(place->client, "re");
	if (!file)
		return;
	if (fstat(fileno(file), &status) == 0)
		facts->since_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec;
	if (fscanf(file, "%d", &client) != 1)
		client = 0;
	fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/stat", client);
	file = fopen(path, "re");
	if (!file)
		return;
	/* Behind the name, in which anything can be, its state and its parent. */
	end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	if (end && sscanf(end + 1, " %c %d", &state, &parent) == 2 && state != 'Z') {
		if (facts->supervisor && parent == facts->supervisor)
			facts->client = client;
		else if (!facts->supervisor && access(place->pid, F_OK) == 0)
			facts->orphan = client;
	}
	fclose(file);
}

/* The first setting that is not among `known`, or NULL. With NULL for the spec: of our own section. */
static const char *find_unknown(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const char *const *known)
{
	const char *key = NULL;
	while ((key = self->host->spec_next(self->host, spec, key))) {
		const char *const *it = known;
		while (*it && strcmp(key, *it) != 0)
			it++;
		if (!*it)
			break;
	}
	return key;
}

/* Nothing that an administrator has set is silently ignored. */
static rc_sv_result check_settings(
	struct rc_sv_instance *self, const struct rc_sv_spec *spec, struct rc_sv_error *error)
{
	/* From "service" on: what the host has captured. daemon(1) inherits it from the host. */
	static const char *const known[] = {"rc_supervise_module", "command_user", "directory", "umask",
		"output_log", "error_log", "rc_supervise_nice", "service", "runscript", "svcdir", "argv",
		"environment", "rlimits", "cgroup", "cgroups_v1", "rc_supervise_ionice",
		"rc_supervise_oom_score_adj", NULL};
	static const char *const own[] = {"program", "acceptable", "attempts", "delay", "limit", NULL};
	const char *key = find_unknown(self, spec, known);
	if (key)
		return fail(error, RC_SV_E_UNSUPPORTED, "%s: daemon(1) has no such thing; unset it", key);
	key = find_unknown(self, NULL, own);
	if (key)
		return fail(error, RC_SV_E_INVALID, "rc-sv.toml: [modules." NAME "] %s is unknown; unset it",
			key);
	return RC_SV_OK;
}

/* The command line of daemon(1). */
static void compose_line(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct place *place, struct words *line)
{
	static const char *const own[] = {"acceptable", "attempts", "delay", "limit"};
	static const char *const texts[][2] = {
		{"directory", "chdir"}, {"output_log", "stdout"}, {"error_log", "stderr"}};
	const struct rc_sv_host *host = self->host;
	const char *const *argv = host->spec_list(host, spec, "argv", NULL);
	const char *user = host->spec_str(host, spec, "command_user");
	int64_t number;
	add(line, "%s", self->program);
	add(line, "--noconfig");
	add(line, "--respawn");
	add(line, "--name=%s", place->service);
	add(line, "--pidfiles=%s", place->directory);
	if (geteuid() == 0)
		add(line, "--idiot"); /* Takes small numbers too. */
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (host->spec_int(host, NULL, own[i], &number))
			add(line, "--%s=%lld", own[i], (long long)number);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (host->spec_str(host, spec, texts[i][0]))
			add(line, "--%s=%s", texts[i][1], host->spec_str(host, spec, texts[i][0]));
	if (host->spec_int(host, spec, "umask", &number))
		add(line, "--umask=%03o", (unsigned int)number);
	/* It ignores HUP, which the program would inherit, and gives it an argv[0] of its own. */
	add(line, "--");
	add(line, "/usr/bin/env");
	add(line, "--default-signal=HUP");
	add(line, "/usr/bin/nice");
	if (!host->spec_int(host, spec, "rc_supervise_nice", &number))
		number = getpriority(PRIO_PROCESS, 0);
	add(line, "--adjustment=%d", (int)number - getpriority(PRIO_PROCESS, 0));
	/* With --user it would itself run as that user, who could kill it. */
	if (user) {
		add(line, "/usr/sbin/chroot");
		add(line, "--skip-chdir");
		add(line, "--userspec=%s", user);
		add(line, "/");
	}
	while (argv && *argv)
		add(line, "%s", *argv++);
}

/* What the host has captured, and the user's own three variables. */
static rc_sv_result compose_environment(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct words *environment, struct rc_sv_error *error)
{
	const struct rc_sv_host *host = self->host;
	const char *user = host->spec_str(host, spec, "command_user");
	const char *const *variable = host->spec_list(host, spec, "environment", NULL);
	for (; variable && *variable; variable++)
		if (!user || (strncmp(*variable, "HOME=", 5) && strncmp(*variable, "USER=", 5) &&
				     strncmp(*variable, "LOGNAME=", 8)))
			add(environment, "%s", *variable);
	if (user) {
		char login[256];
		snprintf(login, sizeof(login), "%.*s", (int)strcspn(user, ":"), user);
		const struct passwd *entry = getpwnam(login);
		if (!entry)
			return fail(error, RC_SV_E_INVALID, "command_user: there is no user %.100s", login);
		add(environment, "HOME=%s", entry->pw_dir);
		add(environment, "USER=%s", entry->pw_name);
		add(environment, "LOGNAME=%s", entry->pw_name);
	}
	return RC_SV_OK;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Whatever signals the host handles meanwhile. */
static int is_readable(int fd, int64_t deadline)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int ready;
	do {
		int64_t left = deadline - now_ms();
		ready = poll(&wait, 1, left > 0 ? (int)left : 0);
	} while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* Waits until daemon(1) has written the service's pid; `events` watches the directory. */
static int wait_for_client(int events, const struct place *place, int64_t deadline)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	const char *name = strrchr(place->client, '/') + 1;
	while (is_readable(events, deadline)) {
		ssize_t length = read(events, buffer, sizeof(buffer));
		for (char *at = buffer; at < buffer + length;) {
			const struct inotify_event *event = (const void *)at;
			if (event->len && strcmp(event->name, name) == 0)
				return 1;
			at += sizeof(*event) + event->len;
		}
	}
	return 0;
}

static rc_sv_result end_it(const struct place *place, int patience, struct rc_sv_error *error)
{
	struct facts facts;
	rc_sv_result result = RC_SV_OK;
	int end;
	look(place, &facts);
	if (facts.orphan)
		return fail(error, RC_SV_E_CONFLICT, "pid %d runs without its daemon(1), which died: kill %d",
			facts.orphan, facts.orphan);
	end = facts.supervisor ? (int)syscall(SYS_pidfd_open, facts.supervisor, 0) : -1;
	/* Having received TERM it hands it on, waits for the service and ends. */
	if (end >= 0 && find_supervisor(place) == facts.supervisor) {
		kill(facts.supervisor, SIGTERM);
		if (!is_readable(end, now_ms() + patience)) {
			look(place, &facts);
			if (facts.client)
				kill(facts.client, SIGKILL);
			if (!is_readable(end, now_ms() + KILL_MS))
				result = fail(error, RC_SV_E_TIMEOUT, "pid %d does not end", facts.client);
		}
	}
	if (end >= 0)
		close(end);
	if (result == RC_SV_OK) {
		unlink(place->client);
		unlink(place->pid);
	}
	return result;
}

static rc_sv_result begin_it(struct rc_sv_instance *self, const struct place *place,
	struct words words[2], int timeout, struct rc_sv_error *error)
{
	char said[200] = "";
	struct rc_sv_cmd command = {.struct_size = sizeof(command), .flags = RC_SV_CMD_MERGE_STDERR};
	struct rc_sv_output output = {.struct_size = sizeof(output), .buf = said, .cap = 199};
	rc_sv_result result;
	int events = inotify_init1(IN_CLOEXEC);
	if ((mkdir(place->directory, 0755) < 0 && errno != EEXIST) || events < 0 ||
		inotify_add_watch(events, place->directory, IN_CREATE | IN_CLOSE_WRITE) < 0) {
		result = fail(error, RC_SV_E_IO, "watching %s: %s", place->directory, strerror(errno));
	} else {
		/* By the host: one such as openrc-run reaps every child, and a fork here would lose. */
		command.argv = (const char *const *)words[0].list;
		command.envp = (const char *const *)words[1].list;
		command.timeout_ms = (uint32_t)timeout;
		result = self->host->run(self->host, &command, &output, error);
	}
	if (result == RC_SV_OK && output.wait_status != 0) {
		said[strcspn(said, "\n")] = '\0';
		result = fail(error, RC_SV_E_FAILED, "%s", said[0] ? said : "daemon(1) failed: see syslog");
	} else if (result == RC_SV_OK && !wait_for_client(events, place, now_ms() + timeout)) {
		result = fail(error, RC_SV_E_TIMEOUT, "not started after %d ms: see syslog", timeout);
	}
	if (events >= 0)
		close(events);
	if (result != RC_SV_OK)
		end_it(place, TERM_MS, NULL); /* After an error nothing runs. */
	return result;
}

static rc_sv_result daemon_open(
	const struct rc_sv_host *host, struct rc_sv_instance **instance, struct rc_sv_error *error)
{
	const char *program = host->spec_str(host, NULL, "program");
	*instance = malloc(sizeof(**instance));
	if (!*instance)
		return fail(error, RC_SV_E_NOMEM, "out of memory");
	(*instance)->host = host;
	(*instance)->program = program ? program : "/usr/bin/daemon";
	return RC_SV_OK;
}

static void daemon_close(struct rc_sv_instance *self)
{
	free(self);
}

static rc_sv_result daemon_probe(
	struct rc_sv_instance *self, uint64_t *caps_now, struct rc_sv_error *error)
{
	if (access(self->program, X_OK) < 0)
		return fail(error, RC_SV_E_UNAVAILABLE, "%.150s: %s; install the package daemon",
			self->program, strerror(errno));
	if (caps_now)
		*caps_now = CAPS;
	return RC_SV_OK;
}

static rc_sv_result daemon_start(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	const char *const *argv = self->host->spec_list(self->host, spec, "argv", NULL);
	int timeout = request && request->timeout_ms ? (int)request->timeout_ms : START_MS;
	struct words *words = calloc(2, sizeof(*words));
	struct place place;
	struct facts facts;
	rc_sv_result result = words ? RC_SV_OK : fail(error, RC_SV_E_NOMEM, "out of memory");
	if (result == RC_SV_OK)
		result = find_place(self, spec, &place, error);
	if (result == RC_SV_OK)
		result = check_settings(self, spec, error);
	if (result == RC_SV_OK)
		result = daemon_probe(self, NULL, error);
	if (result == RC_SV_OK && (!argv || !*argv))
		result = fail(error, RC_SV_E_INVALID, "there is no command to run");
	if (result == RC_SV_OK && access(*argv, X_OK) < 0)
		result = fail(error, RC_SV_E_IO, "cannot execute %.150s: %s", *argv, strerror(errno));
	if (result == RC_SV_OK)
		result = compose_environment(self, spec, &words[1], error);
	if (result == RC_SV_OK) {
		compose_line(self, spec, &place, &words[0]);
		if (words[0].full || words[1].full)
			result = fail(error, RC_SV_E_INVALID, "too many arguments or variables");
	}
	if (result == RC_SV_OK && !(request && (request->flags & RC_SV_RQ_DRY_RUN))) {
		look(&place, &facts);
		if (!facts.client) { /* One that is up is left alone. */
			result = end_it(&place, TERM_MS, error);
			if (result == RC_SV_OK)
				result = begin_it(self, &place, words, timeout, error);
		}
	}
	free(words);
	return result;
}

static rc_sv_result daemon_stop(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	int patience = request && request->timeout_ms ? (int)request->timeout_ms : TERM_MS;
	struct place place;
	rc_sv_result result = find_place(self, spec, &place, error);
	return result == RC_SV_OK ? end_it(&place, patience, error) : result;
}

static rc_sv_result daemon_status(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct rc_sv_status *status, struct rc_sv_error *error)
{
	struct place place;
	struct facts facts;
	rc_sv_result result = find_place(self, spec, &place, error);
	if (result != RC_SV_OK)
		return result;
	look(&place, &facts);
	status->valid = RC_SV_ST_STATE;
	status->state = RC_SV_STATE_UNMANAGED;
	if (facts.orphan)
		return fail(error, RC_SV_E_NOT_RUNNING, "its daemon(1) died; it runs on as pid %d",
			facts.orphan);
	if (facts.supervisor) {
		status->valid |= RC_SV_ST_SUPERVISOR;
		status->supervisor_pid = facts.supervisor;
		status->state = facts.client ? RC_SV_STATE_UP : RC_SV_STATE_BACKOFF;
	}
	if (facts.client) {
		status->valid |= RC_SV_ST_PID | RC_SV_ST_SINCE;
		status->pid = facts.client;
		status->since_real_ns = facts.since_ns;
	}
	return RC_SV_OK;
}

static rc_sv_result daemon_signal(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	struct place place;
	struct facts facts;
	rc_sv_result result = find_place(self, spec, &place, error);
	if (result != RC_SV_OK)
		return result;
	look(&place, &facts);
	if (!facts.client)
		return fail(error, RC_SV_E_NOT_FOUND, "it does not run");
	if (!request || kill(facts.client, request->signo) < 0)
		return fail(error, RC_SV_E_IO, "signal for pid %d: %s", facts.client, strerror(errno));
	return RC_SV_OK;
}

/* What is NULL here the host does itself, or does without. */
static const struct rc_sv_backend table = {
	.magic = RC_SV_MAGIC,
	.struct_size = sizeof(table),
	.abi = RC_SV_ABI,
	.status_size = sizeof(struct rc_sv_status),
	.error_size = sizeof(struct rc_sv_error),
	.layout = RC_SV_LAYOUT,
	.caps = CAPS,
	.name = NAME,
	.version = "1.0",
	.description = "supervision by daemon(1)",
	.open = daemon_open,
	.close = daemon_close,
	.probe = daemon_probe,
	.start = daemon_start,
	.stop = daemon_stop,
	.status = daemon_status,
	.signal = daemon_signal,
};

const struct rc_sv_backend *rc_sv_backend_entry_v1(uint32_t host_abi)
{
	return host_abi >> 16 == RC_SV_ABI_MAJOR ? &table : NULL;
}
