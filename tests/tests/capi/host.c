/*
 * A host for the tests of librc_sv, in the common part of C99 and C++17.
 *
 *     host [OPTION...] COMMAND [ARGUMENT...] [, COMMAND [ARGUMENT...]]...
 *
 * Options: direct, fork, exec choose where operations run; threads makes another thread;
 * handlers installs openrc-run's handlers. Each command prints what came of it; one loader does
 * them all. The exit code is 0 when every call did what its command expects.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* as g++ does by itself */
#endif
#include <rc_sv.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rc_sv_loader *loader;
static volatile sig_atomic_t reaped;

/* As openrc-run does it. */
static void reap_everything(int signo)
{
	int saved = errno;
	(void)signo;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		reaped++;
	errno = saved;
}

static void leave(int signo)
{
	(void)signo;
	_exit(99);
}

/* What openrc-run does at its end must happen once, in the host. */
static void at_exit(void)
{
	static const char line[] = "at_exit\n";
	if (write(1, line, sizeof(line) - 1) < 0)
		_exit(98);
}

static void *another_thread(void *end)
{
	char byte;
	return read(*(int *)end, &byte, 1) < 0 ? end : NULL;
}

static void line_from_module(void *user, int32_t level, const char *module, const char *line)
{
	printf("%s %d %s: %s\n", (const char *)user, (int)level, module, line);
}

static struct rc_sv_error new_error(void)
{
	struct rc_sv_error error;
	memset(&error, 0, sizeof(error));
	error.struct_size = sizeof(error);
	return error;
}

static struct rc_sv_report new_report(void)
{
	struct rc_sv_report report;
	memset(&report, 0, sizeof(report));
	report.struct_size = sizeof(report);
	return report;
}

static struct rc_sv_req new_request(void)
{
	struct rc_sv_req request;
	memset(&request, 0, sizeof(request));
	request.struct_size = sizeof(request);
	return request;
}

/* Says how a call ended. */
static int said(const char *what, rc_sv_result result, const struct rc_sv_error *error)
{
	if (result >= 0) {
		printf("%s: %d\n", what, (int)result);
		return 0;
	}
	/* The struct may have cut the line. */
	if (error->code != result || strncmp(error->message, rc_sv_last_error(), 200) != 0)
		printf("%s: the error is told in two ways\n", what);
	printf("%s: %d %s\n", what, (int)result, rc_sv_last_error());
	return 1;
}

static int32_t print_module(void *user, const struct rc_sv_module *module)
{
	(void)user;
	printf("module %s abi %#x caps %#" PRIx64 " %s\n", module->name, (unsigned)module->abi,
		module->caps, module->result == RC_SV_OK ? "usable" : module->problem);
	return 0;
}

static int32_t print_report(void *user, const struct rc_sv_report *report)
{
	(void)user;
	printf("service %s module %s state %s standing %d result %d %s\n", report->service,
		report->module, rc_sv_state_name(report->status.state), (int)report->standing,
		(int)report->result, report->result ? report->status.detail : "");
	return 0;
}

/* start SERVICE MODULE [KEY=VALUE...] [-- PROGRAM ARGUMENT...] */
static int start(char **words, int attach)
{
	struct rc_sv_error error = new_error();
	struct rc_sv_req request = new_request();
	rc_sv_result result = RC_SV_OK;
	struct rc_sv_spec *spec = rc_sv_spec_new(words[0]);
	const char *limit = getenv("TIMEOUT_MS");
	if (!spec) {
		printf("spec: %s\n", rc_sv_last_error());
		return 1;
	}
	request.timeout_ms = limit ? (uint32_t)atoi(limit) : 0;
	if (strcmp(words[1], "environment") == 0)
		result = rc_sv_spec_environment(spec, &error);
	else
		result = rc_sv_spec_set(spec, "rc_supervise_module", words[1], &error);
	for (words += 2; *words && result == RC_SV_OK && strcmp(*words, "--") != 0; words++) {
		char *value = strchr(*words, '=');
		if (!value)
			return 2;
		*value++ = 0;
		result = rc_sv_spec_set(spec, *words, value, &error);
	}
	for (words += *words != NULL; *words && result == RC_SV_OK; words++)
		result = rc_sv_spec_add(spec, "argv", *words, &error);
	if (result == RC_SV_OK)
		result = attach ? rc_sv_attach(loader, spec, &request, &error)
				: rc_sv_start(loader, spec, &request, &error);
	rc_sv_spec_free(spec);
	return said(attach ? "attach" : "start", result, &error);
}

/* Prints events of a service, or of all, while STATE has not come; the last event is it. */
static int watch(struct rc_sv_watch *stream, int pollfd, rc_sv_state wanted)
{
	struct rc_sv_error error = new_error();
	for (;;) {
		struct rc_sv_event event;
		struct pollfd wait;
		rc_sv_result result;
		memset(&event, 0, sizeof(event));
		event.struct_size = sizeof(event);
		result = rc_sv_watch_next(loader, stream, &event, &error);
		if (result < 0)
			return said("watch", result, &error);
		if (result == RC_SV_OK) {
			printf("event %s %s\n", event.service, rc_sv_state_name(event.status.state));
			if (event.status.state == wanted)
				return 0;
			continue;
		}
		wait.fd = pollfd;
		wait.events = POLLIN;
		if (poll(&wait, 1, 30000) == 0) {
			printf("watch: nothing happened\n");
			return 1;
		}
	}
}

static int modules(void)
{
	struct rc_sv_error error = new_error();
	return said("modules", rc_sv_modules(loader, print_module, NULL, &error), &error);
}

static int describe(const char *name)
{
	struct rc_sv_error error = new_error();
	struct rc_sv_module module;
	uint64_t caps = 0, now = 0;
	int failed;
	memset(&module, 0, sizeof(module));
	module.struct_size = sizeof(module);
	failed = said("describe", rc_sv_describe(loader, name, &module, &error), &error) ||
		said("caps", rc_sv_caps(loader, name, &caps, &error), &error);
	print_module(NULL, &module);
	printf("%s %s\n", module.description, caps == module.caps ? "as the file says" : "");
	return failed || said("probe", rc_sv_probe(loader, name, &now, &error), &error);
}

/* Two threads with a loader each, at the same time, and one loader in both. */
static void *ask(void *service)
{
	static char failed[] = "failed";
	struct rc_sv_loader *own = NULL;
	int i;
	for (i = 0; i < 20; i++) {
		struct rc_sv_report report = new_report();
		if (rc_sv_open(NULL, &own, NULL) != RC_SV_OK ||
			rc_sv_status(own, (const char *)service, &report, NULL) != RC_SV_OK ||
			report.status.state != RC_SV_STATE_UP)
			return failed;
		rc_sv_close(own);
	}
	return NULL;
}

static int threads(char *service)
{
	pthread_t all[4];
	int i, failed = 0;
	for (i = 0; i < 4; i++)
		if (pthread_create(&all[i], NULL, ask, service) != 0)
			return 2;
	for (i = 0; i < 4; i++) {
		void *answer = NULL;
		pthread_join(all[i], &answer);
		failed |= answer != NULL;
	}
	printf("threads: %s\n", failed ? rc_sv_last_error() : "all are up");
	return failed;
}

/* One whole life of a service, watched. */
static int life(char **words)
{
	struct rc_sv_error error = new_error();
	struct rc_sv_report report = new_report();
	struct rc_sv_req request = new_request();
	struct rc_sv_watch *stream = NULL;
	const char *service = words[0];
	int pollfd = -1, failed = 0;
	failed |= said("watch_open", rc_sv_watch_open(loader, service, &stream, &pollfd, &error), &error);
	failed |= start(words, 0);
	failed |= watch(stream, pollfd, RC_SV_STATE_UP);
	request.want_state = RC_SV_STATE_UP;
	failed |= said("wait", rc_sv_wait(loader, service, &request, &report, &error), &error);
	failed |= said("status", rc_sv_status(loader, service, &report, &error), &error);
	print_report(NULL, &report);
	failed |= said("list", rc_sv_list(loader, print_report, NULL, &error), &error);
	failed |= said("restart", rc_sv_restart(loader, service, NULL, &error), &error);
	request.signo = SIGCONT;
	failed |= said("signal", rc_sv_signal(loader, service, &request, &error), &error);
	failed |= said("stop", rc_sv_stop(loader, service, NULL, &error), &error);
	failed |= watch(stream, pollfd, RC_SV_STATE_UNMANAGED);
	request.want_state = RC_SV_STATE_DOWN;
	failed |= said("wait", rc_sv_wait(loader, service, &request, NULL, &error), &error);
	failed |= said("forget", rc_sv_forget(loader, service, NULL, &error), &error);
	rc_sv_watch_close(loader, stream);
	return failed;
}

static int about(const char *command, const char *service, const char *further)
{
	struct rc_sv_error error = new_error();
	struct rc_sv_report report = new_report();
	struct rc_sv_req request = new_request();
	rc_sv_result result = RC_SV_E_INVALID;
	request.timeout_ms = 30000;
	if (strcmp(command, "status") == 0) {
		result = rc_sv_status(loader, service, &report, &error);
		if (result == RC_SV_OK)
			print_report(NULL, &report);
	} else if (strcmp(command, "stop") == 0) {
		result = rc_sv_stop(loader, service, &request, &error);
	} else if (strcmp(command, "reload") == 0) {
		result = rc_sv_reload(loader, service, &request, &error);
	} else if (strcmp(command, "detach") == 0) {
		result = rc_sv_detach(loader, service, &request, &error);
	} else if (strcmp(command, "forget") == 0) {
		result = rc_sv_forget(loader, service, NULL, &error);
	} else if (strcmp(command, "wait") == 0) {
		request.want_state = further ? atoi(further) : 0;
		result = rc_sv_wait(loader, service, &request, &report, &error);
	}
	return said(command, result, &error);
}

/* NULL wherever a pointer is asked for; nothing may happen but an answer. */
static int nothing(void)
{
	struct rc_sv_loader *none = NULL;
	struct rc_sv_spec *spec = rc_sv_spec_new("foo");
	struct rc_sv_report report = new_report(), small = new_report();
	struct rc_sv_watch *stream = NULL;
	struct rc_sv_event event;
	struct rc_sv_options options;
	int pollfd = 0, bad = 0;
	memset(&event, 0, sizeof(event));
	memset(&options, 0, sizeof(options));
	small.struct_size = 8;
#define REFUSED(call)                                                                     \
	if ((call) != RC_SV_E_INVALID) {                                                   \
		printf("not refused: %s\n", #call);                                         \
		bad = 1;                                                                    \
	}
	REFUSED(rc_sv_open(NULL, NULL, NULL))
	REFUSED(rc_sv_open(&options, &none, NULL))
	options.struct_size = sizeof(options);
	options.flags = 3;
	REFUSED(rc_sv_open(&options, &none, NULL))
	REFUSED(rc_sv_modules(NULL, print_module, NULL, NULL))
	REFUSED(rc_sv_modules(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_describe(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_caps(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_probe(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_spec_set(NULL, "umask", "022", NULL))
	REFUSED(rc_sv_spec_set(spec, NULL, "022", NULL))
	REFUSED(rc_sv_spec_set(spec, "umask", NULL, NULL))
	REFUSED(rc_sv_spec_set(spec, "umask", "9", NULL))
	REFUSED(rc_sv_spec_add(spec, "umask", "022", NULL))
	REFUSED(rc_sv_spec_add(spec, "argv", NULL, NULL))
	REFUSED(rc_sv_spec_environment(NULL, NULL))
	REFUSED(rc_sv_start(NULL, spec, NULL, NULL))
	REFUSED(rc_sv_start(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_start(loader, spec, NULL, NULL))
	REFUSED(rc_sv_attach(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_stop(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_stop(loader, "../x", NULL, NULL))
	REFUSED(rc_sv_restart(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_reload(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_signal(loader, "foo", NULL, NULL))
	REFUSED(rc_sv_detach(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_forget(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_status(loader, NULL, &report, NULL))
	REFUSED(rc_sv_status(loader, "foo", NULL, NULL))
	REFUSED(rc_sv_status(loader, "foo", &small, NULL))
	REFUSED(rc_sv_wait(loader, "foo", NULL, NULL, NULL))
	REFUSED(rc_sv_list(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_watch_open(loader, NULL, NULL, &pollfd, NULL))
	REFUSED(rc_sv_watch_open(loader, NULL, &stream, NULL, NULL))
	REFUSED(rc_sv_watch_next(loader, NULL, &event, NULL))
	event.struct_size = sizeof(event);
	REFUSED(rc_sv_watch_next(loader, NULL, &event, NULL))
	if (rc_sv_spec_new(NULL) || rc_sv_spec_new("a/b"))
		bad = 1;
	rc_sv_watch_close(loader, NULL);
	rc_sv_watch_close(NULL, NULL);
	rc_sv_close(NULL);
	rc_sv_spec_free(NULL);
	rc_sv_spec_free(spec);
	printf("nothing: %s %s\n", rc_sv_version(), rc_sv_state_name(-5));
	return bad;
}

static int32_t ask_again(void *user, const struct rc_sv_module *module)
{
	*(rc_sv_result *)user = rc_sv_modules(loader, print_module, NULL, NULL);
	(void)module;
	return 1;
}

static int again(void)
{
	rc_sv_result inner = 0;
	struct rc_sv_error error = new_error();
	int failed = said("modules", rc_sv_modules(loader, ask_again, &inner, &error), &error);
	printf("again: %d %s\n", (int)inner, rc_sv_last_error());
	return failed;
}

static int run(char **words)
{
	struct rc_sv_error error = new_error();
	const char *command = words[0];
	if (strcmp(command, "modules") == 0)
		return modules();
	if (strcmp(command, "describe") == 0)
		return describe(words[1]);
	if (strcmp(command, "start") == 0)
		return start(words + 1, 0);
	if (strcmp(command, "attach") == 0)
		return start(words + 1, 1);
	if (strcmp(command, "life") == 0)
		return life(words + 1);
	if (strcmp(command, "ask") == 0)
		return threads(words[1]);
	if (strcmp(command, "list") == 0)
		return said("list", rc_sv_list(loader, print_report, NULL, &error), &error);
	if (strcmp(command, "nothing") == 0)
		return nothing();
	if (strcmp(command, "again") == 0)
		return again();
	if (strcmp(command, "reaped") == 0)
		return printf("reaped %s\n", reaped > 0 ? "some" : "none") < 0;
	if (strcmp(command, "here") == 0) {
		char path[512];
		int copy = dup(2);
		printf("here %s %s\n", getcwd(path, sizeof(path)), copy < 0 ? "mute" : "heard");
		close(copy);
		return 0;
	}
	return about(command, words[1], words[1] ? words[2] : NULL);
}

int main(int argc, char **argv)
{
	static int pipe_end[2];
	struct rc_sv_options options;
	struct rc_sv_error error = new_error();
	pthread_t thread;
	static char user[] = "line";
	int at = 1, failed = 0;
	memset(&options, 0, sizeof(options));
	options.struct_size = sizeof(options);
	options.log = line_from_module;
	options.log_user = user;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; at < argc; at++) {
		if (strcmp(argv[at], "direct") == 0)
			options.flags = RC_SV_OPEN_DIRECT;
		else if (strcmp(argv[at], "fork") == 0)
			options.flags = RC_SV_OPEN_FORK;
		else if (strcmp(argv[at], "exec") == 0)
			options.flags = RC_SV_OPEN_EXEC;
		else if (strcmp(argv[at], "handlers") == 0) {
			struct sigaction action;
			memset(&action, 0, sizeof(action));
			action.sa_handler = reap_everything;
			sigaction(SIGCHLD, &action, NULL);
			action.sa_handler = leave;
			sigaction(SIGTERM, &action, NULL);
			sigaction(SIGSEGV, &action, NULL);
			atexit(at_exit);
		} else if (strcmp(argv[at], "threads") == 0) {
			if (pipe(pipe_end) != 0 || pthread_create(&thread, NULL, another_thread, pipe_end) != 0)
				return 2;
		} else
			break;
	}
	if (said("open", rc_sv_open(&options, &loader, &error), &error))
		return 1;
	while (at < argc) {
		char **words = argv + at;
		while (at < argc && strcmp(argv[at], ",") != 0)
			at++;
		argv[at++] = NULL;
		failed |= run(words);
	}
#ifdef LEAK
	/* So that a test can tell a check that finds nothing from one that does not look. */
	loader = NULL;
#endif
	rc_sv_close(loader);
	printf("closed\n");
	return failed;
}
