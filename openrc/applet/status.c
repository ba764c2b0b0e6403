/*
 * status.c
 * How services stand.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <einfo.h>
#include <rc.h>
#include <rc_sv.h>

#include "task.h"

static int
say_standing(int standing)
{
	switch (standing) {
	case RC_SV_STANDING_STOPPED:
		einfo("status: stopped");
		break;
	case RC_SV_STANDING_CRASHED:
		eerror("status: crashed");
		break;
	case RC_SV_STANDING_UNSUPERVISED:
		eerror("status: unsupervised");
		break;
	default:
		/* To OpenRC a service in between is started. */
		einfo("status: started");
		return EXIT_SUCCESS;
	}
	return standing;
}

/* While OpenRC calls the service started, the module knows better. */
int
cmd_status(struct task *task)
{
	RC_SERVICE state = rc_service_state(task->service);
	struct rc_sv_report report;
	int code;

	if (state & RC_SERVICE_STOPPING) {
		ewarn("status: stopping");
		return RC_SV_STANDING_STOPPING;
	}
	if (state & RC_SERVICE_STARTING) {
		ewarn("status: starting");
		return RC_SV_STANDING_STARTING;
	}
	if (state & RC_SERVICE_INACTIVE) {
		ewarn("status: inactive");
		return EXIT_INACTIVE;
	}
	if (!(state & RC_SERVICE_STARTED)) {
		einfo("status: stopped");
		return RC_SV_STANDING_STOPPED;
	}
	memset(&report, 0, sizeof(report));
	report.struct_size = sizeof(report);
	if (rc_sv_status(task->loader, task->service, &report, NULL) < 0)
		return task_failed(task);
	code = say_standing(report.standing);
	if (report.status.valid & RC_SV_ST_PID)
		einfo("pid %ld", (long)report.status.pid);
	if (report.status.detail[0] != '\0')
		einfo("%s", report.status.detail);
	return code;
}

static int32_t
show(void *user, const struct rc_sv_report *report)
{
	int *code = user;

	if (report->result < 0)
		*code = EXIT_FAILURE;
	printf(" %-24s %-12s %-12s %s\n", report->service,
	    report->result < 0 ? "?" :
	    rc_sv_state_name(report->status.state), report->module,
	    report->status.detail);
	return 0;
}

int
cmd_list(struct task *task)
{
	int code = EXIT_SUCCESS;

	if (rc_sv_list(task->loader, show, &code, NULL) < 0)
		return task_failed(task);
	return code;
}
