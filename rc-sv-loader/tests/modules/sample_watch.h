/* For sample.c: a stream of one event, and a wait that knows only that it was asked. */
struct rc_sv_watch {
	int ends[2];
	int left;
};

static rc_sv_result sample_watch_open(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	struct rc_sv_watch **watch, int *pollfd, struct rc_sv_error *error)
{
	static struct rc_sv_watch only;
	(void)self;
	if (spec && strcmp(text(self, spec, "service"), "deaf") == 0)
		return fail(error, RC_SV_E_NOT_RUNNING, "nothing to hear");
	if (pipe(only.ends) != 0 || write(only.ends[1], "!", 1) != 1)
		return fail(error, RC_SV_E_IO, "no pipe");
	only.left = 1;
	*watch = &only;
	*pollfd = only.ends[0];
	return RC_SV_OK;
}

static rc_sv_result sample_watch_next(struct rc_sv_instance *self, struct rc_sv_watch *watch,
	struct rc_sv_event *event, struct rc_sv_error *error)
{
	char byte;
	(void)self;
	if (!watch->left)
		return RC_SV_PENDING;
	if (read(watch->ends[0], &byte, 1) != 1)
		return fail(error, RC_SV_E_IO, "no byte");
	watch->left = 0;
	event->kind = RC_SV_EVENT_HEALTH;
	event->seq = 9;
	strcpy(event->service, "foo");
	event->status.struct_size = sizeof(event->status);
	event->status.valid = RC_SV_ST_STATE;
	event->status.state = RC_SV_STATE_PAUSED;
	return RC_SV_OK;
}

static void sample_watch_close(struct rc_sv_instance *self, struct rc_sv_watch *watch)
{
	(void)self;
	close(watch->ends[0]);
	close(watch->ends[1]);
}

static rc_sv_result sample_wait(struct rc_sv_instance *self, const struct rc_sv_spec *spec,
	const struct rc_sv_req *request, struct rc_sv_status *status, struct rc_sv_error *error)
{
	(void)self;
	(void)spec;
	if (request->want_state == RC_SV_STATE_DOWN)
		return fail(error, RC_SV_E_FAILED, "it will stay");
	status->valid = RC_SV_ST_STATE;
	status->state = request->want_state;
	return RC_SV_OK;
}
