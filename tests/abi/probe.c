/* Everything of the header that has a layout, for abidw and abidiff. */
#include "rc_sv_backend.h"

RC_SV_EXPORT void probe(const struct rc_sv_backend *backend, const struct rc_sv_host *host,
	const struct rc_sv_req *req, const struct rc_sv_cmd *cmd, const struct rc_sv_output *output,
	const struct rc_sv_event *event, const struct rc_sv_error *error, rc_sv_list_cb callback);

void probe(const struct rc_sv_backend *backend, const struct rc_sv_host *host,
	const struct rc_sv_req *req, const struct rc_sv_cmd *cmd, const struct rc_sv_output *output,
	const struct rc_sv_event *event, const struct rc_sv_error *error, rc_sv_list_cb callback)
{
	(void)backend, (void)host, (void)req, (void)cmd, (void)output, (void)event, (void)error;
	(void)callback;
}
