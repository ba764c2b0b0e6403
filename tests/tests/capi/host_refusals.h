/* For host.c: calls that are refused. */
/* NULL wherever a pointer is asked for; nothing may happen but an answer. */
static int nothing(void)
{
	struct rc_sv_loader *none = NULL;
	struct rc_sv_spec *spec = rc_sv_spec_new("foo");
	struct rc_sv_report report = new_report(), small = new_report();
	struct rc_sv_watch *stream = NULL;
	struct rc_sv_event event;
	struct rc_sv_options options;
	struct rc_sv_req request;
	int pollfd = 0, bad = 0;
	memset(&event, 0, sizeof(event));
	memset(&options, 0, sizeof(options));
	small.struct_size = 8;
	memset(&request, 0, sizeof(request));
	request.flags = RC_SV_RQ_DRY_RUN;
#define REFUSED(call)                                                                     \
	if ((call) != RC_SV_E_INVALID) {                                                   \
		printf("not refused: %s\n", #call);                                         \
		bad = 1;                                                                    \
	}
	REFUSED(rc_sv_open(NULL, NULL, NULL))
	REFUSED(rc_sv_open(&options, &none, NULL))
	options.struct_size = sizeof(&options);
	REFUSED(rc_sv_open(&options, &none, NULL))
	options.struct_size = sizeof(options);
	options.flags = 3;
	REFUSED(rc_sv_open(&options, &none, NULL))
	REFUSED(rc_sv_modules(NULL, print_module, NULL, NULL))
	REFUSED(rc_sv_modules(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_describe(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_caps(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_probe(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_spec_set(NULL, "umask", "022", NULL))
	REFUSED(rc_sv_spec_set(spec, NULL, "022", NULL))
	REFUSED(rc_sv_spec_set(spec, "umask", NULL, NULL))
	REFUSED(rc_sv_spec_set(spec, "umask", "9", NULL))
	REFUSED(rc_sv_spec_add(spec, "umask", "022", NULL))
	REFUSED(rc_sv_spec_add(spec, "argv", NULL, NULL))
	REFUSED(rc_sv_spec_add(spec, "environment", "NAME", NULL))
	REFUSED(rc_sv_spec_add(spec, "environment", "=value", NULL))
	REFUSED(rc_sv_spec_environment(NULL, NULL))
	REFUSED(rc_sv_start(NULL, spec, NULL, NULL))
	REFUSED(rc_sv_start(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_start(loader, spec, NULL, NULL))
	REFUSED(rc_sv_attach(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_stop(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_stop(loader, "../x", NULL, NULL))
	REFUSED(rc_sv_restart(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_reload(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_signal(loader, "foo", NULL, NULL))
	REFUSED(rc_sv_detach(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_forget(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_status(loader, NULL, &report, NULL))
	REFUSED(rc_sv_status(loader, "foo", NULL, NULL))
	REFUSED(rc_sv_status(loader, "foo", &small, NULL))
	REFUSED(rc_sv_wait(loader, "foo", NULL, NULL, NULL))
	/* Without its size nobody would see that it asks for a dry run. */
	REFUSED(rc_sv_stop(loader, "foo", &request, NULL))
	request.struct_size = sizeof(&request);
	REFUSED(rc_sv_stop(loader, "foo", &request, NULL))
	REFUSED(rc_sv_list(loader, NULL, NULL, NULL))
	REFUSED(rc_sv_watch_open(loader, NULL, NULL, &pollfd, NULL))
	REFUSED(rc_sv_watch_open(loader, NULL, &stream, NULL, NULL))
	REFUSED(rc_sv_watch_next(loader, NULL, &event, NULL))
	event.struct_size = sizeof(event);
	REFUSED(rc_sv_watch_next(loader, NULL, &event, NULL))
	if (rc_sv_spec_new(NULL) || rc_sv_spec_new("a/b"))
		bad = 1;
	rc_sv_watch_close(loader, NULL);
	rc_sv_watch_close(NULL, NULL);
	rc_sv_close(NULL);
	rc_sv_spec_free(NULL);
	rc_sv_spec_free(spec);
	printf("nothing: %s %s\n", rc_sv_version(), rc_sv_state_name(-5));
	return bad;
}

static int32_t ask_again(void *user, const struct rc_sv_module *module)
{
	*(rc_sv_result *)user = rc_sv_modules(loader, print_module, NULL, NULL);
	(void)module;
	return 1;
}

static int again(void)
{
	rc_sv_result inner = 0;
	struct rc_sv_error error = new_error();
	int failed = said("modules", rc_sv_modules(loader, ask_again, &inner, &error), &error);
	printf("again: %d %s\n", (int)inner, rc_sv_last_error());
	return failed;
}
