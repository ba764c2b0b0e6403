/* For host.c: what it does with a loader, and what it prints of it. */
static struct rc_sv_error new_error(void)
{
	struct rc_sv_error error;
	memset(&error, 0, sizeof(error));
	error.struct_size = sizeof(error);
	return error;
}

static struct rc_sv_report new_report(void)
{
	struct rc_sv_report report;
	memset(&report, 0, sizeof(report));
	report.struct_size = sizeof(report);
	return report;
}

static struct rc_sv_req new_request(void)
{
	struct rc_sv_req request;
	memset(&request, 0, sizeof(request));
	request.struct_size = sizeof(request);
	return request;
}

/* Says how a call ended. */
static int said(const char *what, rc_sv_result result, const struct rc_sv_error *error)
{
	if (result >= 0) {
		printf("%s: %d\n", what, (int)result);
		return 0;
	}
	/* The struct may have cut the line. */
	if (error->code != result || strncmp(error->message, rc_sv_last_error(), 200) != 0)
		printf("%s: the error is told in two ways\n", what);
	printf("%s: %d %s\n", what, (int)result, rc_sv_last_error());
	return 1;
}

static int32_t print_module(void *user, const struct rc_sv_module *module)
{
	(void)user;
	printf("module %s abi %#x caps %#" PRIx64 " %s\n", module->name, (unsigned)module->abi,
		module->caps, module->result == RC_SV_OK ? "usable" : module->problem);
	return 0;
}

static int32_t print_report(void *user, const struct rc_sv_report *report)
{
	(void)user;
	printf("service %s module %s state %s standing %d result %d %s\n", report->service,
		report->module, rc_sv_state_name(report->status.state), (int)report->standing,
		(int)report->result, report->result ? report->status.detail : "");
	return 0;
}

/* start SERVICE MODULE [KEY=VALUE...] [-- PROGRAM ARGUMENT...] */
static int start(char **words, int attach)
{
	struct rc_sv_error error = new_error();
	struct rc_sv_req request = new_request();
	rc_sv_result result = RC_SV_OK;
	struct rc_sv_spec *spec = rc_sv_spec_new(words[0]);
	const char *limit = getenv("TIMEOUT_MS");
	if (!spec) {
		printf("spec: %s\n", rc_sv_last_error());
		return 1;
	}
	request.timeout_ms = limit ? (uint32_t)atoi(limit) : 0;
	if (strcmp(words[1], "environment") == 0)
		result = rc_sv_spec_environment(spec, &error);
	else
		result = rc_sv_spec_set(spec, "rc_supervise_module", words[1], &error);
	for (words += 2; *words && result == RC_SV_OK && strcmp(*words, "--") != 0; words++) {
		char *value = strchr(*words, '=');
		if (!value)
			return 2;
		*value++ = 0;
		result = rc_sv_spec_set(spec, *words, value, &error);
	}
	for (words += *words != NULL; *words && result == RC_SV_OK; words++)
		result = rc_sv_spec_add(spec, "argv", *words, &error);
	if (result == RC_SV_OK)
		result = attach ? rc_sv_attach(loader, spec, &request, &error)
				: rc_sv_start(loader, spec, &request, &error);
	rc_sv_spec_free(spec);
	return said(attach ? "attach" : "start", result, &error);
}

/* Prints events of a service, or of all, while STATE has not come; the last event is it. */
static int watch(struct rc_sv_watch *stream, int pollfd, rc_sv_state wanted)
{
	struct rc_sv_error error = new_error();
	for (;;) {
		struct rc_sv_event event;
		struct pollfd wait;
		rc_sv_result result;
		memset(&event, 0, sizeof(event));
		event.struct_size = sizeof(event);
		result = rc_sv_watch_next(loader, stream, &event, &error);
		if (result < 0)
			return said("watch", result, &error);
		if (result == RC_SV_OK) {
			printf("event %s %s\n", event.service, rc_sv_state_name(event.status.state));
			if (event.status.state == wanted)
				return 0;
			continue;
		}
		wait.fd = pollfd;
		wait.events = POLLIN;
		if (poll(&wait, 1, 30000) == 0) {
			printf("watch: nothing happened\n");
			return 1;
		}
	}
}

static int modules(void)
{
	struct rc_sv_error error = new_error();
	return said("modules", rc_sv_modules(loader, print_module, NULL, &error), &error);
}

static int describe(const char *name)
{
	struct rc_sv_error error = new_error();
	struct rc_sv_module module;
	uint64_t caps = 0, now = 0;
	int failed;
	memset(&module, 0, sizeof(module));
	module.struct_size = sizeof(module);
	failed = said("describe", rc_sv_describe(loader, name, &module, &error), &error) ||
		said("caps", rc_sv_caps(loader, name, &caps, &error), &error);
	print_module(NULL, &module);
	printf("%s %s\n", module.description, caps == module.caps ? "as the file says" : "");
	return failed || said("probe", rc_sv_probe(loader, name, &now, &error), &error);
}

/* Two threads with a loader each, at the same time, and one loader in both. */
static void *ask(void *service)
{
	static char failed[] = "failed";
	struct rc_sv_loader *own = NULL;
	int i;
	for (i = 0; i < 20; i++) {
		struct rc_sv_report report = new_report();
		if (rc_sv_open(NULL, &own, NULL) != RC_SV_OK ||
			rc_sv_status(own, (const char *)service, &report, NULL) != RC_SV_OK ||
			report.status.state != RC_SV_STATE_UP)
			return failed;
		rc_sv_close(own);
	}
	return NULL;
}

static int threads(char *service)
{
	pthread_t all[4];
	int i, failed = 0;
	for (i = 0; i < 4; i++)
		if (pthread_create(&all[i], NULL, ask, service) != 0)
			return 2;
	for (i = 0; i < 4; i++) {
		void *answer = NULL;
		pthread_join(all[i], &answer);
		failed |= answer != NULL;
	}
	printf("threads: %s\n", failed ? rc_sv_last_error() : "all are up");
	return failed;
}

/* One whole life of a service, watched. */
static int life(char **words)
{
	struct rc_sv_error error = new_error();
	struct rc_sv_report report = new_report();
	struct rc_sv_req request = new_request();
	struct rc_sv_watch *stream = NULL;
	const char *service = words[0];
	int pollfd = -1, failed = 0;
	failed |= said("watch_open", rc_sv_watch_open(loader, service, &stream, &pollfd, &error), &error);
	failed |= start(words, 0);
	failed |= watch(stream, pollfd, RC_SV_STATE_UP);
	request.want_state = RC_SV_STATE_UP;
	failed |= said("wait", rc_sv_wait(loader, service, &request, &report, &error), &error);
	failed |= said("status", rc_sv_status(loader, service, &report, &error), &error);
	print_report(NULL, &report);
	failed |= said("list", rc_sv_list(loader, print_report, NULL, &error), &error);
	failed |= said("restart", rc_sv_restart(loader, service, NULL, &error), &error);
	request.signo = SIGCONT;
	failed |= said("signal", rc_sv_signal(loader, service, &request, &error), &error);
	failed |= said("stop", rc_sv_stop(loader, service, NULL, &error), &error);
	failed |= watch(stream, pollfd, RC_SV_STATE_UNMANAGED);
	request.want_state = RC_SV_STATE_DOWN;
	failed |= said("wait", rc_sv_wait(loader, service, &request, NULL, &error), &error);
	failed |= said("forget", rc_sv_forget(loader, service, NULL, &error), &error);
	rc_sv_watch_close(loader, stream);
	return failed;
}

static int about(const char *command, const char *service, const char *further)
{
	struct rc_sv_error error = new_error();
	struct rc_sv_report report = new_report();
	struct rc_sv_req request = new_request();
	rc_sv_result result = RC_SV_E_INVALID;
	request.timeout_ms = 30000;
	if (strcmp(command, "status") == 0) {
		result = rc_sv_status(loader, service, &report, &error);
		if (result == RC_SV_OK)
			print_report(NULL, &report);
	} else if (strcmp(command, "stop") == 0) {
		result = rc_sv_stop(loader, service, &request, &error);
	} else if (strcmp(command, "reload") == 0) {
		result = rc_sv_reload(loader, service, &request, &error);
	} else if (strcmp(command, "detach") == 0) {
		result = rc_sv_detach(loader, service, &request, &error);
	} else if (strcmp(command, "forget") == 0) {
		result = rc_sv_forget(loader, service, NULL, &error);
	} else if (strcmp(command, "wait") == 0) {
		request.want_state = further ? atoi(further) : 0;
		result = rc_sv_wait(loader, service, &request, &report, &error);
	}
	return said(command, result, &error);
}
