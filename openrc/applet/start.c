/*
 * start.c
 * Services that a module starts, and those that it only watches.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#include <stdlib.h>
#include <string.h>

#include <einfo.h>
#include <rc.h>
#include <rc_sv.h>

#include "conf.h"
#include "task.h"

/* What it is, or what it was told to be by whoever knows conf.d. */
static struct rc_sv_spec *
spec_of(const struct task *task)
{
	struct rc_sv_spec *spec = rc_sv_spec_new(task->service);
	char problem[512];
	int i;

	if (spec == NULL) {
		task_failed(task);
		return NULL;
	}
	if (task->hook) {
		if (!conf_add(spec, task->service, problem, sizeof(problem))) {
			eerror("%s: %s", task->service, problem);
			goto failed;
		}
	} else if (rc_sv_spec_environment(spec, NULL) != RC_SV_OK) {
		goto said_why;
	}
	if (rc_sv_spec_set(spec, "rc_supervise_module", task->words[0], NULL) !=
	    RC_SV_OK)
		goto said_why;
	for (i = 1; i < task->count; i++)
		if (rc_sv_spec_add(spec, "argv", task->words[i], NULL) !=
		    RC_SV_OK)
			goto said_why;
	return spec;

said_why:
	task_failed(task);
failed:
	rc_sv_spec_free(spec);
	return NULL;
}

/* Whether the module has one of these capabilities; nothing of it is run. */
static bool
can(const struct task *task, uint64_t wanted)
{
	uint64_t caps = 0;

	/* Whatever is wrong with it, the operation says. */
	return rc_sv_caps(task->loader, task->words[0], &caps, NULL) !=
	    RC_SV_OK || (caps & wanted) != 0;
}

int
cmd_start(struct task *task)
{
	struct rc_sv_spec *spec;
	rc_sv_result result;

	if (!can(task, RC_SV_CAP_OWNS_PROCESS))
		return EXIT_DELEGATES;
	spec = spec_of(task);
	if (spec == NULL)
		return EXIT_FAILURE;
	ebegin("Starting %s", task->name);
	result = rc_sv_start(task->loader, spec, &task->request, NULL);
	rc_sv_spec_free(spec);
	if (result == RC_SV_DELEGATE) {
		eend(0, NULL);
		return EXIT_DELEGATES;
	}
	if (result >= 0 && !rc_service_value_set(task->service, STARTED_BY,
	    task->words[0])) {
		/* Unrecorded it would be out of reach of OpenRC. */
		rc_sv_stop(task->loader, task->service, NULL, NULL);
		return eend(EXIT_FAILURE,
		    "%s: cannot be recorded: stopped again", task->service);
	}
	return task_end(task, result);
}

int
cmd_detach(struct task *task)
{
	char *module;
	bool noted = true;

	if (rc_sv_detach(task->loader, task->service, &task->request, NULL) < 0)
		return task_failed(task);
	if (!task->hook) {
		rc_service_value_set(task->service, WATCHED_BY, NULL);
		return EXIT_SUCCESS;
	}
	/* Should the stop fail, it is to be watched again. */
	module = rc_service_value_get(task->service, HOOKED_BY);
	if (module != NULL)
		noted = rc_service_value_set(task->service, UNHOOKED, module);
	free(module);
	if (!noted)
		ewarn("%s: cannot be recorded: not watched again if it does "
		    "not stop", task->service);
	rc_service_value_set(task->service, HOOKED_BY, NULL);
	return EXIT_SUCCESS;
}

int
cmd_attach(struct task *task)
{
	const char *value = task->hook ? HOOKED_BY : WATCHED_BY;
	struct rc_sv_spec *spec;
	rc_sv_result result;
	char *before;
	bool again;

	if (!can(task, RC_SV_CAP_MONITORS))
		return EXIT_DELEGATES;
	spec = spec_of(task);
	if (spec == NULL)
		return EXIT_FAILURE;
	result = rc_sv_attach(task->loader, spec, &task->request, NULL);
	rc_sv_spec_free(spec);
	if (result == RC_SV_E_UNSUPPORTED)
		return EXIT_DELEGATES;
	if (result < 0) {
		task_failed(task);
		if (task->hook)
			ewarn("%s: runs, and module %s does not watch it",
			    task->service, task->words[0]);
		return EXIT_FAILURE;
	}
	if (!rc_service_value_set(task->service, value, task->words[0])) {
		eerror("%s: cannot be recorded: not watched", task->service);
		rc_sv_detach(task->loader, task->service, NULL, NULL);
		return EXIT_FAILURE;
	}
	if (!task->hook)
		return EXIT_SUCCESS;
	before = rc_service_value_get(task->service, UNHOOKED);
	again = before != NULL;
	free(before);
	rc_service_value_set(task->service, UNHOOKED, NULL);
	/*
	 * After a start its lock is gone. A stop that has begun meanwhile, and
	 * has not seen the value, has marked the service before.
	 */
	if (!again && rc_service_state(task->service) &
	    (RC_SERVICE_STOPPED | RC_SERVICE_STOPPING))
		return cmd_detach(task);
	return EXIT_SUCCESS;
}
