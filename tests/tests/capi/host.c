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

#include "host_calls.h"
#include "host_refusals.h"

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
