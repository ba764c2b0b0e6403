/*
 * signals.c
 * Names of signals.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signals.h"

/* POSIX has no function for this, and glibc's is not everywhere. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "ABRT", SIGABRT },   { "ALRM", SIGALRM }, { "CHLD", SIGCHLD },
	{ "CONT", SIGCONT },   { "HUP", SIGHUP },   { "INT", SIGINT },
	{ "KILL", SIGKILL },   { "PIPE", SIGPIPE }, { "QUIT", SIGQUIT },
	{ "STOP", SIGSTOP },   { "TERM", SIGTERM }, { "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN },   { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "USR1", SIGUSR1 },   { "USR2", SIGUSR2 }, { "WINCH", SIGWINCH },
};

int
signal_number(const char *text)
{
	char *end;
	long number;
	size_t i;

	number = strtol(text, &end, 10);
	if (end != text && *end == '\0')
		return number > 0 && number <= SIGRTMAX ? (int)number : 0;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (strcasecmp(text, signals[i].name) == 0)
			return signals[i].number;
	return 0;
}
