/*
 * plain.c with the optional slots that a module without a supervisor can have: reload, wait, forget,
 * list and watch. With -DWRONG_<something> it breaks one promise of these.
 */
#define _GNU_SOURCE
#include "rc_sv_backend.h"

static rc_sv_result wide_reload(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error);
static rc_sv_result wide_wait(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_status *status, struct rc_sv_error *error);
static rc_sv_result wide_forget(
	struct rc_sv_instance *self, const struct rc_sv_spec *spec, struct rc_sv_error *error);
static rc_sv_result wide_list(
	struct rc_sv_instance *self, rc_sv_list_cb callback, void *user, struct rc_sv_error *error);
static rc_sv_result wide_watch_open(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct rc_sv_watch **watch, int *pollfd, struct rc_sv_error *error);
static rc_sv_result wide_watch_next(struct rc_sv_instance *self, struct rc_sv_watch *watch,
	struct rc_sv_event *event, struct rc_sv_error *error);
static void wide_watch_close(struct rc_sv_instance *self, struct rc_sv_watch *watch);

#define CAPS                                                                                       \
	(RC_SV_CAP_OWNS_PROCESS | RC_SV_CAP_SIGNAL | RC_SV_CAP_RELOAD | RC_SV_CAP_EVENTS_FD)
#define RELOAD wide_reload
#define WAIT wide_wait
#define FORGET wide_forget
#define LIST wide_list
#define WATCH_OPEN wide_watch_open
#define WATCH_NEXT wide_watch_next
#define WATCH_CLOSE wide_watch_close
#include "plain.c"

#include <dirent.h>
#include <sys/inotify.h>

static rc_sv_result wide_reload(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	struct rc_sv_req hup = {0};
	(void)request;
	hup.struct_size = sizeof(hup);
	hup.signo = SIGHUP;
#ifdef WRONG_RELOAD
	hup.signo = SIGUSR1;
#endif
	return plain_signal(self, spec, &hup, error);
}

/* For up it need not wait: start returns when it is; for down the end of the process tells. */
static rc_sv_result wide_wait(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_status *status, struct rc_sv_error *error)
{
	int pid = pid_of(self, spec);
	int wanted_up = request && request->want_state == RC_SV_STATE_UP;
	if (pid > 0 && !wanted_up) {
		struct pollfd end = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
		int ended = end.fd < 0 || poll(&end, 1, patience(request)) > 0;
		close(end.fd);
#ifndef WRONG_WAIT
		if (!ended)
			return fail(error, RC_SV_E_TIMEOUT, "it still runs");
#endif
	}
	if (pid <= 0 && wanted_up)
		return fail(error, RC_SV_E_FAILED, "it does not run, and nobody starts it");
	return plain_status(self, spec, status, error);
}

static rc_sv_result wide_forget(
	struct rc_sv_instance *self, const struct rc_sv_spec *spec, struct rc_sv_error *error)
{
	char path[512];
	if (pid_of(self, spec) > 0)
		return fail(error, RC_SV_E_CONFLICT, "it still runs");
	file_of(self, spec, path);
	unlink(path);
	return RC_SV_OK;
}

static rc_sv_result wide_list(
	struct rc_sv_instance *self, rc_sv_list_cb callback, void *user, struct rc_sv_error *error)
{
	const char *svcdir = getenv("RC_SVCDIR");
	DIR *directory = opendir(svcdir ? svcdir : "/run/openrc");
	struct dirent *entry;
	(void)self;
	if (!directory)
		return fail(error, RC_SV_E_IO, "the state directory cannot be read");
	while ((entry = readdir(directory))) {
		struct rc_sv_status status = {0};
		if (strncmp(entry->d_name, "plain.", 6) != 0)
			continue;
		status.struct_size = sizeof(status);
		status.valid = RC_SV_ST_STATE;
		status.state = RC_SV_STATE_UP;
#ifdef WRONG_LIST
		status.state = RC_SV_STATE_DOWN;
#endif
		if (callback(user, entry->d_name + 6, &status))
			break;
	}
	closedir(directory);
	return RC_SV_OK;
}

struct rc_sv_watch {
	int inotify;
	uint64_t seq;
	char service[240];
};

static rc_sv_result wide_watch_open(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct rc_sv_watch **watch, int *pollfd, struct rc_sv_error *error)
{
	struct rc_sv_watch *made = (struct rc_sv_watch *)calloc(1, sizeof(*made));
	if (!made)
		return fail(error, RC_SV_E_NOMEM, "out of memory");
	made->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(made->inotify, text(self, spec, "svcdir"), IN_CLOSE_WRITE | IN_DELETE);
	snprintf(made->service, sizeof(made->service), "%s", text(self, spec, "service"));
	*watch = made;
	*pollfd = made->inotify;
	return RC_SV_OK;
}

static rc_sv_result wide_watch_next(struct rc_sv_instance *self, struct rc_sv_watch *watch,
	struct rc_sv_event *event, struct rc_sv_error *error)
{
	char seen[4096];
	(void)self, (void)error;
	if (read(watch->inotify, seen, sizeof(seen)) <= 0)
		return RC_SV_PENDING;
	event->kind = RC_SV_EVENT_STATE;
	event->seq = ++watch->seq;
#ifdef WRONG_WATCH
	watch->service[0] = 'x';
#endif
	strcpy(event->service, watch->service);
	event->status.valid = RC_SV_ST_STATE;
	event->status.state = RC_SV_STATE_UNKNOWN;
	return RC_SV_OK;
}

static void wide_watch_close(struct rc_sv_instance *self, struct rc_sv_watch *watch)
{
	(void)self;
	if (!watch)
		return;
#ifndef WRONG_WATCH_CLOSE
	close(watch->inotify);
#endif
	free(watch);
}
