/*
 * rc-sv.c
 * An applet for OpenRC's runscripts: start, stop and show services that modules
 * of rc-sv supervise, in OpenRC's words and with its exit codes.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <einfo.h>
#include <rc_sv.h>

#include "signals.h"
#include "task.h"

/* What the plugin asks for has an end, for openrc-run waits for it. */
#define HOOK_TIMEOUT_MS 10000

static const char usage[] =
    "Usage: rc-sv [--name TEXT] start MODULE [-- COMMAND [ARGUMENT...]]\n"
    "       rc-sv [--name TEXT] stop|restart|reload\n"
    "       rc-sv attach MODULE [-- COMMAND [ARGUMENT...]]\n"
    "       rc-sv detach|forget|status|list\n"
    "       rc-sv signal SIGNAL\n"
    "\n"
    "The service is that of RC_SVCNAME. Its settings are the variables\n"
    "RCSV_NAME and the files of rc-sv(5).\n"
    "\n"
    "Exit codes: 0, 1 for a failure, 2 for a wrong command line, 5 when the\n"
    "service starts itself or the module cannot watch; status: 0 started,\n"
    "3 stopped, 4 stopping, 8 starting, 16 inactive, 32 crashed,\n"
    "64 unsupervised.\n";

static const struct option options[] = {
	{ "help", no_argument,       NULL, 'h' },
	{ "hook", no_argument,       NULL, 'k' },
	{ "name", required_argument, NULL, 'n' },
	{ NULL,   0,                 NULL, 0   }
};

/* Warnings of modules belong to what is being done; the rest is for syslog. */
static void
log_line(void *user, int32_t level, const char *module, const char *line)
{
	const struct task *task = user;

	if (level <= 4)
		ewarn("%s: %s: %s", task->service, module, line);
}

int
task_failed(const struct task *task)
{
	eerror("%s: %s", task->service, rc_sv_last_error());
	return EXIT_FAILURE;
}

int
task_end(const struct task *task, rc_sv_result result)
{
	if (result >= 0)
		return eend(0, NULL);
	return eend(EXIT_FAILURE, "%s: %s", task->service, rc_sv_last_error());
}

static int
cmd_stop(struct task *task)
{
	rc_sv_result result;

	ebegin("Stopping %s", task->name);
	result = rc_sv_stop(task->loader, task->service, &task->request, NULL);
	if (result == RC_SV_DELEGATE) {
		eend(0, NULL);
		return EXIT_DELEGATES;
	}
	return task_end(task, result);
}

static int
cmd_restart(struct task *task)
{
	ebegin("Restarting %s", task->name);
	return task_end(task, rc_sv_restart(task->loader, task->service,
	    &task->request, NULL));
}

static int
cmd_reload(struct task *task)
{
	ebegin("Reloading %s", task->name);
	return task_end(task, rc_sv_reload(task->loader, task->service,
	    &task->request, NULL));
}

static int
cmd_signal(struct task *task)
{
	task->request.signo = signal_number(task->words[0]);
	if (task->request.signo <= 0) {
		eerror("%s: %s: must be a signal such as TERM or 15",
		    task->service, task->words[0]);
		return EXIT_FAILURE;
	}
	if (rc_sv_signal(task->loader, task->service, &task->request, NULL) < 0)
		return task_failed(task);
	return EXIT_SUCCESS;
}

static int
cmd_forget(struct task *task)
{
	if (rc_sv_forget(task->loader, task->service, &task->request, NULL) < 0)
		return task_failed(task);
	return EXIT_SUCCESS;
}

/* What needs no service, none; how many words follow, at least and at most. */
static const struct command {
	const char *word;
	int (*run)(struct task *);
	bool service;
	int min, max;
} commands[] = {
	{ "start",   cmd_start,   true,  1, -1 },
	{ "stop",    cmd_stop,    true,  0, 0  },
	{ "restart", cmd_restart, true,  0, 0  },
	{ "reload",  cmd_reload,  true,  0, 0  },
	{ "signal",  cmd_signal,  true,  1, 1  },
	{ "attach",  cmd_attach,  true,  1, -1 },
	{ "detach",  cmd_detach,  true,  0, 0  },
	{ "forget",  cmd_forget,  true,  0, 0  },
	{ "status",  cmd_status,  true,  0, 0  },
	{ "list",    cmd_list,    false, 0, 0  },
};

static int
misused(void)
{
	fputs(usage, stderr);
	return 2;
}

static int
perform(const struct command *command, struct task *task)
{
	struct rc_sv_options how;
	int code;

	memset(&how, 0, sizeof(how));
	how.struct_size = sizeof(how);
	how.log = log_line;
	how.log_user = task;
	task->request.struct_size = sizeof(task->request);
	if (task->hook)
		task->request.timeout_ms = HOOK_TIMEOUT_MS;
	if (rc_sv_open(&how, &task->loader, NULL) != RC_SV_OK)
		return task_failed(task);
	code = command->run(task);
	rc_sv_close(task->loader);
	return code;
}

int
main(int argc, char **argv)
{
	struct task task;
	const struct command *command = NULL;
	size_t i;
	int opt;

	memset(&task, 0, sizeof(task));
	task.service = getenv("RC_SVCNAME");
	/* The daemon's options are its own. */
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'k':
			task.hook = true;
			break;
		case 'n':
			task.name = optarg;
			break;
		default:
			return misused();
		}
	}
	for (i = 0; optind < argc && i < sizeof(commands) / sizeof(*commands);
	    i++)
		if (strcmp(argv[optind], commands[i].word) == 0)
			command = &commands[i];
	if (command == NULL)
		return misused();
	task.words = argv + optind + 1;
	task.count = argc - optind - 1;
	/* "--" stands before what runs, if anything does. */
	if (task.count > 1 && command->max < 0) {
		if (strcmp(task.words[1], "--") != 0)
			return misused();
		task.words[1] = task.words[0];
		task.words++;
		task.count--;
	}
	if (task.count < command->min ||
	    (command->max >= 0 && task.count > command->max))
		return misused();
	if (task.service == NULL || *task.service == '\0') {
		if (command->service) {
			eerror("rc-sv: RC_SVCNAME must name the service");
			return 2;
		}
		task.service = "rc-sv";
	}
	if (task.name == NULL)
		task.name = task.service;
	return perform(command, &task);
}
