/*
 * rc-sv-hook.c
 * A plugin of openrc-run: lets a module of rc-sv watch a service that has
 * started itself, and let go of it before it stops.
 *
 * openrc-run forks for each hook and waits for us, whatever the service. So one
 * that no module watches costs one look at the dependency tree when it has been
 * started, and one at a file that is not there when it stops. For the others we
 * become rc-sv(8), which has time-outs: whatever a module does, it does it to a
 * process that openrc-run can do without.
 *
 * Where the shell part of rc-sv has started the service or lets it be watched,
 * this does nothing.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <einfo.h>
#include <rc.h>

#ifndef RC_SV_APPLET
#error "RC_SV_APPLET must be the path of the program rc-sv"
#endif

/* Values of a service, as files below RC_SVCDIR/options. */
#define STARTED_BY "rcsv_module"
#define WATCHED_BY "rcsv_attached"
#define HOOKED_BY  "rcsv_hooked"
#define UNHOOKED   "rcsv_unhooked"

/*
 * What gendepends.sh has written down, which is what a shell makes of conf.d,
 * rc.conf and the script. NULL when no module is chosen.
 */
static char *
module_of(const char *service)
{
	RC_DEPTREE *tree = rc_deptree_load();
	RC_STRINGLIST *list;
	RC_STRING *first = NULL;
	char *module = NULL;

	if (tree == NULL)
		return NULL;
	list = rc_deptree_depend(tree, service, "supervise");
	if (list != NULL)
		first = list->tqh_first;
	if (first != NULL)
		module = strdup(first->value);
	rc_stringlist_free(list);
	rc_deptree_free(tree);
	return module;
}

/* An empty value is none: librc cannot remove one. */
static char *
value_of(const char *service, const char *name)
{
	char *value = rc_service_value_get(service, name);

	if (value != NULL && *value == '\0') {
		free(value);
		return NULL;
	}
	return value;
}

static bool
has(const char *service, const char *name)
{
	char *value = value_of(service, name);
	bool found = value != NULL;

	free(value);
	return found;
}

/*
 * Becomes rc-sv. The pipe of openrc-run, from which it reads variables until
 * all writers have closed it, does not outlive that, so nothing that a module
 * leaves behind can hold it open.
 */
static int
become(const char *service, const char *command, char *module)
{
	char *argv[] = {
		(char *)"rc-sv", (char *)"--hook", (char *)command, module, NULL
	};

	if (rc_environ_fd != NULL)
		fcntl(fileno(rc_environ_fd), F_SETFD, FD_CLOEXEC);
	if (setenv("RC_SVCNAME", service, 1) == 0)
		execv(RC_SV_APPLET, argv);
	eerror("%s: cannot execute %s: %s", service, RC_SV_APPLET,
	    strerror(errno));
	free(module);
	return -1;
}

/* A start is over, well or not. */
static int
started(const char *service)
{
	char *module = module_of(service);

	if (module == NULL)
		return 0;
	if (!(rc_service_state(service) & RC_SERVICE_STARTED) ||
	    has(service, STARTED_BY) || has(service, WATCHED_BY) ||
	    has(service, HOOKED_BY)) {
		free(module);
		return 0;
	}
	return become(service, "attach", module);
}

/* A stop begins: nobody shall start the service again behind its back. */
static int
stopping(const char *service)
{
	if (!has(service, HOOKED_BY))
		return 0;
	return become(service, "detach", NULL);
}

/* A stop is over. One that has failed leaves the service and its values. */
static int
stopped(const char *service)
{
	char *module = value_of(service, UNHOOKED);

	if (module == NULL)
		return 0;
	if (rc_service_state(service) & RC_SERVICE_STOPPED) {
		free(module);
		return 0;
	}
	return become(service, "attach", module);
}

int
rc_plugin_hook(RC_HOOK hook, const char *name)
{
	switch (hook) {
	case RC_HOOK_SERVICE_START_DONE:
		return started(name);
	case RC_HOOK_SERVICE_STOP_NOW:
		return stopping(name);
	case RC_HOOK_SERVICE_STOP_DONE:
		return stopped(name);
	default:
		return 0;
	}
}
