/* A program that may want something of librc_sv, as openrc-run would.
 *
 *   host idle|direct|fork|exec|program SERVICE
 *
 * idle does nothing: what it costs to be linked with the library, with -DLINKED, or not. The others
 * ask for the state of SERVICE: by the library, which is only now loaded unless it is linked, or by
 * running rc-sv-loader.
 */
#define _GNU_SOURCE
#include <rc_sv.h>

#include <dlfcn.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#ifdef LINKED
#define FUNCTION(name) name
#else
#define FUNCTION(name) ((__typeof__(name) *)find(#name))

static void *find(const char *name)
{
	static void *library;
	if (!library)
		library = dlopen("librc_sv.so.1", RTLD_NOW | RTLD_LOCAL);
	return library ? dlsym(library, name) : NULL;
}
#endif

static int ask(uint32_t flags, const char *service)
{
	struct rc_sv_options options = {.struct_size = sizeof(options), .flags = flags};
	struct rc_sv_report report = {.struct_size = sizeof(report)};
	struct rc_sv_loader *loader;
	if (FUNCTION(rc_sv_open)(&options, &loader, NULL) != RC_SV_OK)
		return 1;
	int failed = FUNCTION(rc_sv_status)(loader, service, &report, NULL) != RC_SV_OK;
	FUNCTION(rc_sv_close)(loader);
	return failed || report.standing != RC_SV_STANDING_UP;
}

static int run(char *service)
{
	extern char **environ;
	char *argv[] = {"rc-sv-loader", "status", service, NULL};
	pid_t pid;
	int status;
	if (posix_spawn(&pid, "/usr/bin/rc-sv-loader", NULL, NULL, argv, environ) != 0)
		return 1;
	return waitpid(pid, &status, 0) != pid || status != 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	if (strcmp(argv[1], "direct") == 0)
		return ask(RC_SV_OPEN_DIRECT, argv[2]);
	if (strcmp(argv[1], "fork") == 0)
		return ask(RC_SV_OPEN_FORK, argv[2]);
	if (strcmp(argv[1], "exec") == 0)
		return ask(RC_SV_OPEN_EXEC, argv[2]);
	return strcmp(argv[1], "program") == 0 ? run(argv[2]) : 0;
}
