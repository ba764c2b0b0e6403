/*
 * conf.c
 * Settings of a service from conf.d, read without a shell.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rc.h>

#include "conf.h"

/* More than any file in conf.d needs. */
#define CONF_MAX (256 * 1024)

/* A file that is being read. */
struct text {
	const char *path;
	char *next;
	unsigned int line;
	/* A part of the present value is not what it says: $x, `y`, ~. */
	bool expands;
	char *problem;
	size_t size;
};

static bool
complain(const struct text *text, unsigned int line, const char *what)
{
	snprintf(text->problem, text->size, "%s:%u: %s", text->path, line,
	    what);
	return false;
}

/* Blanks, empty lines, comments and what separates commands. */
static void
skip(struct text *text)
{
	for (;; text->next++) {
		switch (*text->next) {
		case '\n':
			text->line++;
			break;
		case ' ':
		case '\t':
		case ';':
			break;
		case '#':
			text->next += strcspn(text->next, "\n");
			text->next--;
			break;
		default:
			return;
		}
	}
}

/*
 * The value that begins here, its quotes removed, in its own place. It ends
 * where a word of the shell ends.
 */
static char *
value(struct text *text)
{
	char *start = text->next, *to = start, *from = start, quote = '\0';

	text->expands = false;
	for (; *from != '\0'; from++) {
		if (quote == '\0' && strchr(" \t\n;", *from) != NULL)
			break;
		if (*from == '\n')
			text->line++;
		if (*from == '\\' && quote != '\'') {
			if (from[1] == '\0')
				return NULL;
			if (from[1] == '\n') {
				text->line++;
				from++;
				continue;
			}
			/* In double quotes it is special before these only. */
			if (quote == '\0' || strchr("$`\"\\", from[1]) != NULL)
				from++;
		} else if (*from == quote) {
			quote = '\0';
			continue;
		} else if (quote == '\0' && (*from == '\'' || *from == '"')) {
			quote = *from;
			continue;
		} else if (quote == '\0' && strchr("&|<>()", *from) != NULL) {
			return NULL;
		} else if ((quote != '\'' && (*from == '$' || *from == '`')) ||
		    (quote == '\0' && *from == '~')) {
			text->expands = true;
		}
		*to++ = *from;
	}
	if (quote != '\0')
		return NULL;
	/* The text after the value must not be taken for a part of it. */
	text->next = from;
	if (*from != '\0') {
		if (*from == '\n')
			text->line++;
		text->next++;
	}
	*to = '\0';
	return start;
}

/* The name that begins here, if = follows it. */
static char *
name(struct text *text)
{
	char *start = text->next, *end = start;

	while (isalnum((unsigned char)*end) || *end == '_')
		end++;
	if (end == start || isdigit((unsigned char)*start) || *end != '=')
		return NULL;
	*end = '\0';
	text->next = end + 1;
	return start;
}

/* "export " may stand before an assignment. */
static void
skip_export(struct text *text)
{
	static const char word[] = "export";
	size_t length = sizeof(word) - 1;

	if (strncmp(text->next, word, length) == 0 &&
	    (text->next[length] == ' ' || text->next[length] == '\t'))
		text->next += length + strspn(text->next + length, " \t");
}

/* Unsets it, which is a question too: is that one of the settings? */
static bool
is_setting(struct rc_sv_spec *spec, const char *key)
{
	return rc_sv_spec_set(spec, key, "", NULL) == RC_SV_OK;
}

static bool
parse(struct text *text, struct rc_sv_spec *spec)
{
	static const char not_plain[] =
	    "is no plain assignment, which is all that can be read here";
	const char *what;
	unsigned int line;
	char *key, *word;

	for (skip(text); *text->next != '\0'; skip(text)) {
		line = text->line;
		skip_export(text);
		key = name(text);
		if (key == NULL)
			return complain(text, line, not_plain);
		word = value(text);
		if (word == NULL)
			return complain(text, line, not_plain);
		if (!is_setting(spec, key)) {
			if (strncmp(key, "rc_supervise_", 13) != 0)
				continue;
		} else if (text->expands) {
			return complain(text, line, not_plain);
		}
		if (rc_sv_spec_set(spec, key, word, NULL) == RC_SV_OK)
			continue;
		/* "spec of SERVICE: what" */
		what = strstr(rc_sv_last_error(), ": ");
		return complain(text, line,
		    what != NULL ? what + 2 : rc_sv_last_error());
	}
	return true;
}

/* False when there is no such file; *ok tells whether what it holds is. */
static bool
add_file(struct rc_sv_spec *spec, const char *path, bool *ok, char *problem,
    size_t size)
{
	struct text text = { .path = path, .line = 1, .problem = problem,
	    .size = size };
	FILE *file = fopen(path, "r");
	char *bytes;
	size_t count;

	if (file == NULL)
		return false;
	bytes = malloc(CONF_MAX);
	count = bytes == NULL ? 0 : fread(bytes, 1, CONF_MAX, file);
	fclose(file);
	if (bytes == NULL || count == CONF_MAX) {
		*ok = complain(&text, 1, "is too long");
	} else if (memchr(bytes, '\0', count) != NULL) {
		*ok = complain(&text, 1, "contains NUL bytes");
	} else {
		bytes[count] = '\0';
		text.next = bytes;
		*ok = parse(&text, spec);
	}
	free(bytes);
	return true;
}

/* The file of this name for this runlevel, else the one for all. */
static bool
add_name(struct rc_sv_spec *spec, const char *directory, const char *base,
    char *problem, size_t size)
{
	char path[PATH_MAX], *runlevel = rc_runlevel_get();
	bool ok = true, found = false;

	if (runlevel != NULL && *runlevel != '\0') {
		snprintf(path, sizeof(path), "%s/%s.%s", directory, base,
		    runlevel);
		found = add_file(spec, path, &ok, problem, size);
	}
	if (!found) {
		snprintf(path, sizeof(path), "%s/%s", directory, base);
		add_file(spec, path, &ok, problem, size);
	}
	free(runlevel);
	return ok;
}

/* Where OpenRC looks for the files of this script; false when nowhere. */
static bool
conf_d(const char *service, char directory[PATH_MAX])
{
	char path[PATH_MAX], *script = rc_service_resolve(service), *slash;

	if (script == NULL)
		return false;
	slash = strrchr(script, '/');
	if (slash != NULL)
		*slash = '\0';
	snprintf(path, sizeof(path), "%s/../conf.d", script);
	free(script);
	return realpath(path, directory) != NULL;
}

bool
conf_add(struct rc_sv_spec *spec, const char *service, char *problem,
    size_t size)
{
	char directory[PATH_MAX], base[NAME_MAX + 1];
	size_t length = strcspn(service, ".");

	/* A service without a script has no settings either. */
	if (!conf_d(service, directory))
		return true;
	if (length > 0 && length < strlen(service) && length < sizeof(base)) {
		memcpy(base, service, length);
		base[length] = '\0';
		if (!add_name(spec, directory, base, problem, size))
			return false;
	}
	return add_name(spec, directory, service, problem, size);
}
