/*
 * A module for the tests of the loader: a good one, or a broken one, by -D.
 *
 * A service is up while SVCDIR/sample.SERVICE holds the number of a state; start writes it, with
 * all settings of the spec below, stop removes it. Names of services choose what goes wrong.
 */
#include "rc_sv_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "sample"
#endif
#ifndef NOTE_NAME
#define NOTE_NAME NAME
#endif
#ifndef TABLE_NAME
#define TABLE_NAME NAME
#endif
#ifndef TABLE_CAPS
#define TABLE_CAPS CAPS
#endif
#ifndef MAGIC
#define MAGIC RC_SV_MAGIC
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(table)
#endif
#ifndef TABLE_LAYOUT
#define TABLE_LAYOUT RC_SV_LAYOUT
#endif
#ifndef STATUS_SIZE
#define STATUS_SIZE sizeof(struct rc_sv_status)
#endif
#ifndef VERSION
#define VERSION "1.2.3"
#endif
#ifndef STOP
#define STOP sample_stop
#endif
#ifndef CAPS
#define CAPS (RC_SV_CAP_OWNS_PROCESS | RC_SV_CAP_SIGNAL)
#endif

#ifdef NOTE_ABI
#undef RC_SV_ABI
#define RC_SV_ABI NOTE_ABI
#endif
#ifndef NO_NOTE
RC_SV_NOTE(NOTE_NAME, CAPS);
#endif
#ifdef NOTE_ABI
#undef RC_SV_ABI
#define RC_SV_ABI 0x10000u
#endif
#ifndef TABLE_ABI
#define TABLE_ABI RC_SV_ABI
#endif

struct rc_sv_instance {
	const struct rc_sv_host *host;
};

static rc_sv_result fail(struct rc_sv_error *error, rc_sv_result code, const char *message)
{
	if (error) {
		error->code = code;
		snprintf(error->message, sizeof(error->message), "%s", message);
	}
	return code;
}

static const char *text(struct rc_sv_instance *self, const struct rc_sv_spec *spec, const char *key)
{
	const char *value = self->host->spec_str(self->host, spec, key);
	return value ? value : "";
}

static void state_path(struct rc_sv_instance *self, const struct rc_sv_spec *spec, char path[512])
{
	snprintf(path, 512, "%s/sample.%s", text(self, spec, "svcdir"), text(self, spec, "service"));
}

static rc_sv_result sample_open(
	const struct rc_sv_host *host, struct rc_sv_instance **instance, struct rc_sv_error *error)
{
	const char *refusal = host->spec_str(host, NULL, "refuse");
	if (refusal)
		return fail(error, RC_SV_E_INVALID, refusal);
#ifdef NO_INSTANCE
	(void)instance;
	return RC_SV_OK;
#endif
	*instance = malloc(sizeof(**instance));
	if (!*instance)
		return fail(error, RC_SV_E_NOMEM, "out of memory");
	(*instance)->host = host;
	return RC_SV_OK;
}

static void sample_close(struct rc_sv_instance *self)
{
	free(self);
}

/* What `cat` says is what the host ran. */
static rc_sv_result sample_probe(
	struct rc_sv_instance *self, uint64_t *caps, struct rc_sv_error *error)
{
	static const char *const argv[] = {"/bin/cat", NULL};
	char said[16] = "";
	struct rc_sv_cmd command = {.struct_size = sizeof(command), .argv = argv};
	struct rc_sv_output output = {.struct_size = sizeof(output), .buf = said, .cap = 15};
	command.input = "ok";
	command.input_len = 2;
	rc_sv_result result = self->host->run(self->host, &command, &output, error);
	if (result != RC_SV_OK)
		return result;
	if (strcmp(said, "ok") != 0 || output.wait_status != 0)
		return fail(error, RC_SV_E_PROTOCOL, "cat did not say ok");
	if (caps)
		*caps = RC_SV_CAP_SIGNAL;
	return RC_SV_OK;
}

/* Writes all settings: T text, I number, L list with its words between bars. */
static void dump(struct rc_sv_instance *self, const struct rc_sv_spec *spec, FILE *file)
{
	const struct rc_sv_host *host = self->host;
	const char *key = NULL;
	while ((key = host->spec_next(host, spec, key))) {
		int64_t number;
		size_t count;
		const char *const *list;
		if (host->spec_str(host, spec, key)) {
			fprintf(file, "T %s=%s\n", key, host->spec_str(host, spec, key));
		} else if (host->spec_int(host, spec, key, &number)) {
			fprintf(file, "I %s=%lld\n", key, (long long)number);
		} else if ((list = host->spec_list(host, spec, key, &count))) {
			fprintf(file, "L %s=", key);
			for (size_t i = 0; i < count; i++)
				fprintf(file, "|%s", list[i]);
			fprintf(file, "|\n");
		}
	}
}

/* A line and an event on the way. */
static void warn(struct rc_sv_instance *self)
{
	struct rc_sv_event event = {.struct_size = sizeof(event), .kind = RC_SV_EVENT_GAVE_UP};
	event.seq = 7;
	strcpy(event.service, "warns");
	event.status.struct_size = sizeof(event.status);
	event.status.valid = RC_SV_ST_STATE;
	event.status.state = RC_SV_STATE_GAVE_UP;
	self->host->emit(self->host, &event);
	self->host->log(self->host, 4, "mind\nthe gap");
}

static rc_sv_result sample_start(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	const char *service = text(self, spec, "service");
	char path[512];
	FILE *file;
	(void)request;
	if (strcmp(service, "fails") == 0)
		return fail(error, RC_SV_E_FAILED, "it\nsaid no");
	if (strcmp(service, "silent") == 0)
		return RC_SV_E_FAILED;
	if (strcmp(service, "strange") == 0)
		return 77;
	if (strcmp(service, "delegates") == 0)
		return RC_SV_DELEGATE;
	if (strcmp(service, "warns") == 0)
		warn(self);
	state_path(self, spec, path);
	file = fopen(path, "w");
	if (!file)
		return fail(error, RC_SV_E_IO, "cannot write the state");
	fprintf(file, "%d\n", RC_SV_STATE_UP);
	dump(self, spec, file);
	fclose(file);
	if (strcmp(service, "half") == 0)
		return fail(error, RC_SV_E_FAILED, "it runs all the same");
	return RC_SV_OK;
}

__attribute__((unused)) static rc_sv_result sample_stop(struct rc_sv_instance *self,
	const struct rc_sv_spec *spec, const struct rc_sv_req *request, struct rc_sv_error *error)
{
	char path[512];
	(void)request;
	if (strcmp(text(self, spec, "service"), "stubborn") == 0)
		return fail(error, RC_SV_E_TIMEOUT, "still runs");
	state_path(self, spec, path);
	unlink(path);
	return RC_SV_OK;
}

static rc_sv_result sample_status(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct rc_sv_status *status, struct rc_sv_error *error)
{
	char path[512];
	int state = RC_SV_STATE_UNMANAGED;
	FILE *file;
	state_path(self, spec, path);
	file = fopen(path, "r");
	if (file) {
		if (fscanf(file, "%d", &state) != 1)
			state = RC_SV_STATE_UNKNOWN;
		fclose(file);
	}
	if (state < 0)
		return fail(error, state, "the supervisor does not answer");
	status->state = state;
	status->valid = RC_SV_ST_STATE | RC_SV_ST_PID | RC_SV_ST_RESTARTS | RC_SV_ST_DETAIL;
	status->pid = 4711;
	status->restarts = 2;
	snprintf(status->detail, sizeof(status->detail), "a sample");
	return RC_SV_OK;
}

#ifdef FULL
static rc_sv_result sample_restart(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	return sample_start(self, spec, request, error);
}

static rc_sv_result sample_signal(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_error *error)
{
	char message[64];
	(void)self;
	(void)spec;
	snprintf(message, sizeof(message), "signal %d", (int)request->signo);
	return fail(error, RC_SV_E_FAILED, message);
}

/* Knows a, which is up, and b, which is waiting; not what else is recorded. */
static rc_sv_result sample_list(
	struct rc_sv_instance *self, rc_sv_list_cb callback, void *user, struct rc_sv_error *error)
{
	struct rc_sv_status status = {.struct_size = sizeof(status), .valid = RC_SV_ST_STATE};
	(void)self;
	(void)error;
	status.state = RC_SV_STATE_UP;
	if (callback(user, "a", &status))
		return RC_SV_OK;
	status.state = RC_SV_STATE_BACKOFF;
	callback(user, "b", &status);
	return RC_SV_OK;
}
#endif

#ifdef WATCH
#include "sample_watch.h"
#endif

static const struct rc_sv_backend table = {
	.magic = MAGIC,
	.struct_size = TABLE_SIZE,
	.abi = TABLE_ABI,
	.status_size = STATUS_SIZE,
	.error_size = sizeof(struct rc_sv_error),
	.layout = TABLE_LAYOUT,
	.caps = TABLE_CAPS,
	.name = TABLE_NAME,
	.version = VERSION,
	.description = "a module for tests",
	.open = sample_open,
	.close = sample_close,
	.probe = sample_probe,
	.start = sample_start,
	.stop = STOP,
	.status = sample_status,
#ifdef FULL
	.restart = sample_restart,
	.signal = sample_signal,
	.list = sample_list,
#endif
#ifdef WATCH
	.wait = sample_wait,
	.watch_open = sample_watch_open,
	.watch_next = sample_watch_next,
	.watch_close = sample_watch_close,
#endif
};

#ifndef NO_ENTRY
const struct rc_sv_backend *rc_sv_backend_entry_v1(uint32_t host_abi)
{
	(void)host_abi;
#ifdef NO_TABLE
	return NULL;
#endif
	return &table;
}
#else
const struct rc_sv_backend *another_name(void) { return &table; }
#endif
