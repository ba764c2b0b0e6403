/*
 * task.h
 * What the applet is asked for, and what it does.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#ifndef RC_SV_TASK_H
#define RC_SV_TASK_H

#include <stdbool.h>

#include <rc_sv.h>

/* The service starts and stops itself, or the module cannot watch. */
#define EXIT_DELEGATES 5
/* OpenRC's, for a service that waits for something. */
#define EXIT_INACTIVE 16

/* Values of a service, as files below RC_SVCDIR/options. */
#define STARTED_BY "rcsv_module"
#define WATCHED_BY "rcsv_attached"
#define HOOKED_BY  "rcsv_hooked"
#define UNHOOKED   "rcsv_unhooked"

/* What is asked for. */
struct task {
	const char *service;
	/* For people. */
	const char *name;
	/* By the plugin: no shell has read conf.d. */
	bool hook;
	/* What follows the command. */
	char **words;
	int count;
	struct rc_sv_loader *loader;
	struct rc_sv_req request;
};

/* Says why something failed; EXIT_FAILURE. */
int task_failed(const struct task *task);
/* Ends what ebegin() has begun; the exit code. */
int task_end(const struct task *task, rc_sv_result result);

/* Commands; they answer the exit code. */
int cmd_start(struct task *task);
int cmd_attach(struct task *task);
int cmd_detach(struct task *task);
int cmd_status(struct task *task);
int cmd_list(struct task *task);

#endif
