/*
 * A module that watches: attach reads the pid file that the setting pidfile names, detach forgets
 * it. Its state is a file in SVCDIR. With -DWRONG_<something> it breaks one promise.
 */
#define _GNU_SOURCE
#include "rc_sv_backend.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "watcher"
#endif
#define CAPS RC_SV_CAP_MONITORS

RC_SV_NOTE(NAME, CAPS);

struct rc_sv_instance {
	const struct rc_sv_host *host;
};

static rc_sv_result fail(struct rc_sv_error *error, rc_sv_result code, const char *what)
{
	if (error) {
		error->code = code;
		snprintf(error->message, sizeof(error->message), "%s", what);
	}
	return code;
}

static const char *text(struct rc_sv_instance *self, const struct rc_sv_spec *spec, const char *key)
{
	const char *value = self->host->spec_str(self->host, spec, key);
	return value ? value : "";
}

/* The number in a file; 0 for none. */
static int number_in(const char *path)
{
	int number = 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

static void state_file(struct rc_sv_instance *self, const struct rc_sv_spec *spec, char path[512])
{
	snprintf(path, 512, "%s/watched.%s", text(self, spec, "svcdir"), text(self, spec, "service"));
}

static rc_sv_result watcher_open(
	const struct rc_sv_host *host, struct rc_sv_instance **instance, struct rc_sv_error *error)
{
	*instance = malloc(sizeof(**instance));
	if (!*instance)
		return fail(error, RC_SV_E_NOMEM, "out of memory");
	(*instance)->host = host;
	return RC_SV_OK;
}

static void watcher_close(struct rc_sv_instance *self)
{
	free(self);
}

static rc_sv_result watcher_probe(
	struct rc_sv_instance *self, uint64_t *caps, struct rc_sv_error *error)
{
	(void)self, (void)error;
#ifdef WRONG_NOT_THERE
	return fail(error, RC_SV_E_NOT_RUNNING, "the watcher does not run; start it");
#endif
	if (caps)
		*caps = CAPS;
	return RC_SV_OK;
}

static rc_sv_result watcher_delegate(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	(void)self, (void)spec, (void)request, (void)error;
	return RC_SV_DELEGATE;
}

static rc_sv_result watcher_status(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct rc_sv_status *status, struct rc_sv_error *error)
{
	char path[512];
	int pid;
	(void)error;
	state_file(self, spec, path);
	pid = number_in(path);
	status->valid = RC_SV_ST_STATE;
	status->state = !pid ? RC_SV_STATE_UNMANAGED
		: kill(pid, 0) == 0 ? RC_SV_STATE_UP : RC_SV_STATE_DOWN;
	return RC_SV_OK;
}

static rc_sv_result watcher_attach(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	char path[512];
	int pid = number_in(text(self, spec, "pidfile"));
	FILE *file;
	(void)request;
	if (pid <= 0)
		return fail(error, RC_SV_E_INVALID, "pidfile must name a file with a pid");
#ifdef WRONG_ATTACH
	kill(pid, SIGHUP);
#endif
	state_file(self, spec, path);
#ifdef WRONG_BLIND
	return RC_SV_OK;
#endif
	file = fopen(path, "we");
	if (!file)
		return fail(error, RC_SV_E_IO, "cannot write the state");
	fprintf(file, "%d\n", pid);
	fclose(file);
	return RC_SV_OK;
}

static rc_sv_result watcher_detach(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	char path[512];
	(void)request, (void)error;
	state_file(self, spec, path);
#ifdef WRONG_DETACH
	if (number_in(path) > 0)
		kill(number_in(path), SIGKILL);
#endif
	unlink(path);
	return RC_SV_OK;
}

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
	.description = "watches by a pid file",
	.open = watcher_open,
	.close = watcher_close,
	.probe = watcher_probe,
	.start = watcher_delegate,
	.stop = watcher_delegate,
	.status = watcher_status,
	.attach = watcher_attach,
	.detach = watcher_detach,
};

const struct rc_sv_backend *rc_sv_backend_entry_v1(uint32_t host_abi)
{
	return host_abi >> 16 == RC_SV_ABI_MAJOR ? &table : NULL;
}
