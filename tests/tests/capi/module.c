/*
 * A module that does harm: -DNAME names it, and which harm. It can start nothing; what it does in
 * start, status or its constructor is the point.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "rc_sv_backend.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef CAPS
#define CAPS RC_SV_CAP_OWNS_PROCESS
#endif
RC_SV_NOTE(NAME, CAPS);

struct rc_sv_instance {
	const struct rc_sv_host *host;
};

static struct rc_sv_instance only;

static int is(const char *harm)
{
	return strcmp(NAME, harm) == 0;
}

static void ignore(int signo)
{
	(void)signo;
}

static int overflow(volatile char *above)
{
	volatile char here[4096];
	here[0] = *above;
	return overflow(here) + here[0];
}

static void close_everything(void)
{
	int fd;
	for (fd = 0; fd < 1024; fd++)
		close(fd);
	/* Somebody else gets the numbers. */
	for (fd = 0; fd < 16; fd++)
		if (open("/tmp/stolen", O_RDWR | O_CREAT, 0600) < 0)
			abort();
}

static void *write_on(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

static void change_everything(void)
{
	struct sigaction action;
	sigset_t all;
	int signo;
	memset(&action, 0, sizeof(action));
	action.sa_handler = ignore;
	for (signo = 1; signo < 32; signo++)
		sigaction(signo, &action, NULL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (chdir("/proc") != 0)
		abort();
	umask(0777);
	setenv("PATH", "/nowhere", 1);
	fclose(stdout);
	kill(getppid(), SIGTERM);
}

static void harm(void)
{
	volatile char start = 0;
	pthread_t thread;
	if (is("segv"))
		*(volatile char *)8 = start;
	if (is("abort"))
		abort();
	if (is("killed"))
		kill(getpid(), SIGKILL);
	if (is("overflow"))
		overflow(&start);
	if (is("exits"))
		exit(3);
	if (is("hangs")) {
		close(open("/tmp/hangs", O_WRONLY | O_CREAT, 0600));
		for (;;)
			pause();
	}
	if (is("stopped"))
		kill(getpid(), SIGSTOP);
	if (is("closes"))
		close_everything();
	/* Both return, and one stays. */
	if (is("forks") && fork() == 0)
		setenv("STRAY", "1", 1);
	if (is("threads") && pthread_create(&thread, NULL, write_on, NULL) != 0)
		abort();
	if (is("changes"))
		change_everything();
	if (is("prints"))
		printf("printed\n");
}

#ifdef CONSTRUCTOR
__attribute__((constructor)) static void construct(void)
{
	*(volatile char *)8 = 0;
}
#endif

static rc_sv_result do_open(
	const struct rc_sv_host *host, struct rc_sv_instance **instance, struct rc_sv_error *error)
{
	(void)error;
	only.host = host;
	*instance = &only;
	return RC_SV_OK;
}

static void do_close(struct rc_sv_instance *self)
{
	(void)self;
}

static rc_sv_result do_probe(
	struct rc_sv_instance *self, uint64_t *caps, struct rc_sv_error *error)
{
	(void)self;
	(void)error;
	if (caps)
		*caps = CAPS;
	return RC_SV_OK;
}

/* Logs, does harm, and answers as if nothing had been. */
static rc_sv_result do_start(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	(void)spec;
	(void)request;
	(void)error;
	self->host->log(self->host, 5, "here it comes");
	harm();
	return RC_SV_OK;
}

static rc_sv_result do_stop(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	(void)self;
	(void)spec;
	(void)request;
	(void)error;
	return RC_SV_OK;
}

static rc_sv_result do_status(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct rc_sv_status *status, struct rc_sv_error *error)
{
	(void)self;
	(void)spec;
	(void)error;
	status->valid = RC_SV_ST_STATE;
	status->state = RC_SV_STATE_DOWN;
	return RC_SV_OK;
}

static const struct rc_sv_backend table = {
	.magic = RC_SV_MAGIC,
	.struct_size = sizeof(table),
	.abi = RC_SV_ABI,
	.status_size = sizeof(struct rc_sv_status),
	.error_size = sizeof(struct rc_sv_error),
	.layout = RC_SV_LAYOUT_1_0,
	.caps = CAPS,
	.name = NAME,
	.version = "1",
	.description = "a module that does harm",
	.open = do_open,
	.close = do_close,
	.probe = do_probe,
	.start = do_start,
	.stop = do_stop,
	.status = do_status,
	.attach = do_start,
	.detach = do_stop,
};

RC_SV_EXPORT const struct rc_sv_backend *rc_sv_backend_entry_v1(uint32_t host_abi)
{
	(void)host_abi;
	return &table;
}
