/*
 * conf.h
 * Settings of a service from conf.d, read without a shell.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#ifndef RC_SV_CONF_H
#define RC_SV_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include <rc_sv.h>

/*
 * Adds to spec those settings of rc-sv that the files of the service in conf.d
 * hold: of its template first, then its own, each for this runlevel or, if
 * there is none such, for all. Other variables are passed over.
 *
 * A file that holds more than assignments of plain values, so that only a shell
 * could tell what a setting is, is no good: false, and problem is one line.
 */
bool conf_add(struct rc_sv_spec *spec, const char *service, char *problem,
    size_t size);

#endif
