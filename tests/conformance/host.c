/*
 * The conformance suite of a host, in the common part of C99 and C++17: everything that rc_sv.h
 * promises, with one module.
 *
 *     host MODULE DIRECTORY direct|fork|exec
 *
 * Says which promise was broken and ends with 1, or how many checks there were and ends with 0.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <rc_sv.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVICE "conformance"
/* Longer than anything takes, milliseconds. */
#define SOON 30000

static int checks;

/* One promise. */
static void check(int kept, const char *promise)
{
	checks++;
	if (kept)
		return;
	printf("broken: %s; the last failure was: %s\n", promise, rc_sv_last_error());
	exit(1);
}

/* The service: says through the FIFO words what happens to it, and waits for nothing. */
static const char daemon_script[] =
	"exec 3<>\"$0\" 4<>\"$1\"\n"
	"trap 'echo \"usr1 $$\" >&3' USR1\n"
	"trap 'echo \"hup $$\" >&3' HUP\n"
	"echo \"start $$\" >&3\n"
	"while :; do read -r word <&4; done\n";

static char words_path[256], silence_path[256];
static int words;

static void make_fifos(const char *directory)
{
	snprintf(words_path, sizeof(words_path), "%s/words", directory);
	snprintf(silence_path, sizeof(silence_path), "%s/silence", directory);
	if (mkfifo(words_path, 0600) < 0 || mkfifo(silence_path, 0600) < 0)
		check(0, "the directory is writable and empty");
	words = open(words_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	check(words >= 0, "the FIFO can be opened");
}

/* The pid of who says `word`, which must be the next one; 0 for nobody within `timeout`. */
static int hear(const char *word, int timeout)
{
	char line[64];
	size_t length = 0;
	struct pollfd wait;
	wait.fd = words;
	wait.events = POLLIN;
	while (length < sizeof(line) - 1) {
		if (read(words, line + length, 1) == 1) {
			if (line[length] == '\n')
				break;
			length++;
		} else if (poll(&wait, 1, timeout) <= 0) {
			return 0;
		}
	}
	line[length] = 0;
	if (strncmp(line, word, strlen(word)) != 0)
		return 0;
	return atoi(line + strlen(word));
}

/* Whether nothing was said. */
static int is_silent(void)
{
	struct pollfd wait;
	wait.fd = words;
	wait.events = POLLIN;
	return poll(&wait, 1, 0) == 0;
}

/* Lives, and is no zombie. */
static int lives(int pid)
{
	char path[64], line[512];
	FILE *file;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file) || !strrchr(line, ')'))
		line[0] = 0;
	fclose(file);
	return line[0] && strrchr(line, ')')[2] != 'Z';
}

static int count_descriptors(void)
{
	int count = 0;
	DIR *directory = opendir("/proc/self/fd");
	check(directory != NULL, "/proc is mounted");
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* A failure has one number and one line. */
static void check_failure(rc_sv_result result, const struct rc_sv_error *error, rc_sv_result right,
	const char *promise)
{
	check(result == right, promise);
	check(error->code == result, "error->code is the answer");
	check(memchr(error->message, 0, sizeof(error->message)) != NULL, "error->message has its NUL");
	check(error->message[0] && !strchr(error->message, '\n'), "error->message is one line");
	check(rc_sv_last_error()[0], "rc_sv_last_error has the line");
}

static struct rc_sv_loader *loader;

static void empty_error(struct rc_sv_error *error)
{
	memset(error, 0, sizeof(*error));
	error->struct_size = sizeof(*error);
}

static rc_sv_state state_now(struct rc_sv_report *report)
{
	memset(report, 0, sizeof(*report));
	report->struct_size = sizeof(*report);
	check(rc_sv_status(loader, SERVICE, report, NULL) == RC_SV_OK, "status can be asked");
	check(report->struct_size == sizeof(*report), "report->struct_size is the host's");
	check(report->status.valid & RC_SV_ST_STATE, "a status has a state");
	return report->status.state;
}

/* Waits for the state, and for this pid. */
static void check_up(int pid)
{
	struct rc_sv_req request;
	struct rc_sv_report report;
	memset(&request, 0, sizeof(request));
	request.struct_size = sizeof(request);
	request.timeout_ms = SOON;
	request.want_state = RC_SV_STATE_UP;
	memset(&report, 0, sizeof(report));
	report.struct_size = sizeof(report);
	check(rc_sv_wait(loader, SERVICE, &request, &report, NULL) == RC_SV_OK, "it can be waited for");
	check(report.status.state == RC_SV_STATE_UP, "wait fills the report");
	check(state_now(&report) == RC_SV_STATE_UP, "it is up");
	check(report.standing == RC_SV_STANDING_UP, "up stands for up");
	check(report.status.valid & RC_SV_ST_PID && report.status.pid == pid, "status has its pid");
}

static void check_modules(const char *module, uint64_t *caps);
static struct rc_sv_spec *make_spec(const char *module, const char *program);
static int check_life(struct rc_sv_spec *spec, const char *module);
static int check_changes(struct rc_sv_spec *spec, uint64_t caps, int pid);
static void check_end(int pid);

int main(int argc, char **argv)
{
	struct rc_sv_options options;
	struct rc_sv_spec *spec;
	uint64_t caps = 0;
	int before, pid;
	if (argc != 4)
		return 2;
	memset(&options, 0, sizeof(options));
	options.struct_size = sizeof(options);
	options.flags = !strcmp(argv[3], "direct") ? RC_SV_OPEN_DIRECT
		: !strcmp(argv[3], "fork") ? RC_SV_OPEN_FORK : RC_SV_OPEN_EXEC;
	make_fifos(argv[2]);
	rc_sv_close(NULL);
	rc_sv_spec_free(NULL);
	check(rc_sv_version()[0], "there is a version");
	check(rc_sv_open(NULL, NULL, NULL) == RC_SV_E_INVALID, "there must be a place for the loader");
	check(rc_sv_open(&options, &loader, NULL) == RC_SV_OK && loader, "a loader can be made");
	check_modules(argv[1], &caps);
	/* From here on nothing new is loaded: modules stay for ever, and their files with them. */
	before = count_descriptors();
	spec = make_spec(argv[1], "/bin/sh");
	pid = check_life(spec, argv[1]);
	pid = check_changes(spec, caps, pid);
	check_end(pid);
	rc_sv_spec_free(spec);
	check(count_descriptors() == before, "no descriptor is left open");
	rc_sv_close(loader);
	check(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "no child is left");
	close(words);
	printf("%d checks\n", checks);
	return 0;
}

static int32_t find_module(void *user, const struct rc_sv_module *module)
{
	if (strcmp(module->name, (const char *)user) != 0)
		return 0;
	check(module->result == RC_SV_OK, "the list says that the module can be used");
	*(char *)user = 0;
	return 1;
}

static void check_modules(const char *name, uint64_t *caps)
{
	struct rc_sv_error error;
	struct rc_sv_module module;
	uint64_t now = 0;
	char wanted[64];
	snprintf(wanted, sizeof(wanted), "%s", name);
	check(rc_sv_modules(loader, find_module, wanted, NULL) == RC_SV_OK, "modules can be listed");
	check(!wanted[0], "the list has the module, and ends when its reader has seen enough");
	empty_error(&error);
	check_failure(rc_sv_caps(loader, "no-such", caps, &error), &error, RC_SV_E_NOT_FOUND,
		"a module that is not there is not found");
	check(rc_sv_caps(loader, name, caps, NULL) == RC_SV_OK, "its capabilities are known");
	check(*caps & RC_SV_CAP_OWNS_PROCESS, "it owns processes");
	memset(&module, 0, sizeof(module));
	module.struct_size = sizeof(module);
	check(rc_sv_describe(loader, name, &module, NULL) == RC_SV_OK, "it can be described");
	check(!strcmp(module.name, name) && module.version[0] && module.abi >> 16 == 1, "as it is");
	check(module.caps == *caps, "table and file have the same capabilities");
	check(rc_sv_probe(loader, name, &now, NULL) == RC_SV_OK, "its supervisor is there");
	check((now & ~*caps) == 0, "now is not more than at best");
}

static struct rc_sv_spec *make_spec(const char *module, const char *program)
{
	struct rc_sv_error error;
	struct rc_sv_spec *spec;
	check(rc_sv_spec_new("a/b") == NULL, "a/b is no name");
	spec = rc_sv_spec_new(SERVICE);
	check(spec != NULL, "a spec can be made");
	empty_error(&error);
	check_failure(rc_sv_spec_set(spec, "no_such", "1", &error), &error, RC_SV_E_INVALID,
		"an unknown setting is refused");
	check(rc_sv_spec_set(spec, "rc_supervise_module", module, NULL) == RC_SV_OK, "known ones not");
	check(rc_sv_spec_add(spec, "argv", program, NULL) == RC_SV_OK, "argv can be added to");
	check(rc_sv_spec_add(spec, "argv", "-c", NULL) == RC_SV_OK, "once more");
	check(rc_sv_spec_add(spec, "argv", daemon_script, NULL) == RC_SV_OK, "with anything");
	check(rc_sv_spec_add(spec, "argv", words_path, NULL) == RC_SV_OK, "and");
	check(rc_sv_spec_add(spec, "argv", silence_path, NULL) == RC_SV_OK, "again");
	return spec;
}

static int32_t find_service(void *user, const struct rc_sv_report *report)
{
	if (!strcmp(report->service, SERVICE) && report->status.state == RC_SV_STATE_UP)
		++*(int *)user;
	return 0;
}

/* From nothing to up. */
static int check_life(struct rc_sv_spec *spec, const char *module)
{
	struct rc_sv_error error;
	struct rc_sv_report report;
	struct rc_sv_spec *wrong = make_spec(module, "/nonexistent/program");
	int pid, seen = 0;
	empty_error(&error);
	check(state_now(&report) == RC_SV_STATE_UNMANAGED, "nobody has it");
	check(report.standing == RC_SV_STANDING_STOPPED && !report.module[0], "it is stopped");
	check_failure(rc_sv_stop(loader, SERVICE, NULL, &error), &error, RC_SV_E_NOT_FOUND,
		"what nobody started cannot be stopped");
	empty_error(&error);
	check(rc_sv_start(loader, wrong, NULL, &error) < 0, "a program that is not there cannot start");
	check(error.code < 0 && error.message[0], "and that is told");
	check(state_now(&report) != RC_SV_STATE_UP, "nothing runs then");
	rc_sv_spec_free(wrong);
	check(rc_sv_start(loader, spec, NULL, NULL) == RC_SV_OK, "it can be started");
	pid = hear("start ", SOON);
	check(lives(pid), "it runs");
	check_up(pid);
	check(state_now(&report) == RC_SV_STATE_UP && !strcmp(report.module, module), "by the module");
	check(rc_sv_start(loader, spec, NULL, NULL) == RC_SV_OK, "it can be started again");
	check_up(pid);
	check(is_silent(), "and is left alone");
	check(rc_sv_list(loader, find_service, &seen, NULL) == RC_SV_OK, "services can be listed");
	check(seen == 1, "it is in the list, once");
	return pid;
}

static void ask(struct rc_sv_req *request, int signo, rc_sv_state want, uint32_t timeout)
{
	memset(request, 0, sizeof(*request));
	request->struct_size = sizeof(*request);
	request->signo = signo;
	request->want_state = want;
	request->timeout_ms = timeout;
}

/* What happens while it is up. The pid at the end. */
static int check_changes(struct rc_sv_spec *spec, uint64_t caps, int pid)
{
	struct rc_sv_error error;
	struct rc_sv_req request;
	rc_sv_result result;
	int old = pid;
	ask(&request, 0, RC_SV_STATE_DOWN, 300);
	empty_error(&error);
	check_failure(rc_sv_wait(loader, SERVICE, &request, NULL, &error), &error, RC_SV_E_TIMEOUT,
		"waiting for down ends in time");
	ask(&request, SIGUSR1, 0, 0);
	check(rc_sv_signal(loader, SERVICE, &request, NULL) == RC_SV_OK, "signals are sent");
	check(hear("usr1 ", SOON) == pid, "and arrive");
	ask(&request, 999, 0, 0);
	empty_error(&error);
	check_failure(rc_sv_signal(loader, SERVICE, &request, &error), &error, RC_SV_E_INVALID,
		"999 is no signal");
	check(rc_sv_reload(loader, SERVICE, NULL, NULL) == RC_SV_OK, "it can be reloaded");
	check(hear("hup ", SOON) == pid, "by HUP");
	result = rc_sv_restart(loader, SERVICE, NULL, NULL);
	check(result == RC_SV_OK || result == RC_SV_E_UNSUPPORTED, "it can be restarted, or cannot");
	if (result == RC_SV_OK) {
		pid = hear("start ", SOON);
		check(pid != old && lives(pid) && !lives(old), "by another process");
	}
	check_up(pid);
	old = pid;
	check(kill(pid, SIGKILL) == 0, "it can be killed");
	if (!(caps & RC_SV_CAP_RESTARTS)) {
		ask(&request, 0, RC_SV_STATE_DOWN, SOON);
		check(rc_sv_wait(loader, SERVICE, &request, NULL, NULL) == RC_SV_OK, "that is seen");
		check(rc_sv_start(loader, spec, NULL, NULL) == RC_SV_OK, "it can be started once more");
	}
	pid = hear("start ", SOON);
	check(pid != old && lives(pid), "it is back");
	check_up(pid);
	return pid;
}

/* How many events of the service there are. */
static int count_events(struct rc_sv_watch *watch)
{
	struct rc_sv_event event;
	rc_sv_result result;
	int seen = 0;
	do {
		memset(&event, 0, sizeof(event));
		event.struct_size = sizeof(event);
		event.status.struct_size = sizeof(event.status);
		result = rc_sv_watch_next(loader, watch, &event, NULL);
		check(result >= 0, "the next event can be asked for");
		seen += result == RC_SV_OK && !strcmp(event.service, SERVICE);
	} while (result == RC_SV_OK);
	return seen;
}

/* From up to nothing. */
static void check_end(int pid)
{
	struct rc_sv_watch *watch = NULL;
	struct rc_sv_report report;
	struct pollfd wait;
	rc_sv_result result;
	int seen = 0;
	wait.fd = -1;
	wait.events = POLLIN;
	check(rc_sv_watch_open(loader, SERVICE, &watch, &wait.fd, NULL) == RC_SV_OK, "it can be watched");
	check(watch && wait.fd >= 0, "by a descriptor");
	seen = count_events(watch);
	check(seen == 0, "nothing happens by itself");
	check(rc_sv_stop(loader, SERVICE, NULL, NULL) == RC_SV_OK, "it can be stopped");
	check(!lives(pid), "it is gone");
	while (!seen && poll(&wait, 1, SOON) > 0)
		seen = count_events(watch);
	check(seen > 0, "that was an event");
	rc_sv_watch_close(loader, watch);
	state_now(&report);
	check(report.standing == RC_SV_STANDING_STOPPED, "it is stopped");
	result = rc_sv_stop(loader, SERVICE, NULL, NULL);
	check(result == RC_SV_OK || result == RC_SV_E_NOT_FOUND, "a second stop does no harm");
	result = rc_sv_forget(loader, SERVICE, NULL, NULL);
	check(result == RC_SV_OK || result == RC_SV_E_UNSUPPORTED, "it can be forgotten");
	check(is_silent(), "nothing happened behind our back");
}
