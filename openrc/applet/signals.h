/*
 * signals.h
 * Names of signals.
 */

/*
 * Copyright (c) 2026 the rc-sv authors.
 *
 * This file is part of rc-sv, under the BSD-2-Clause licence: see LICENSE.
 */

#ifndef RC_SV_SIGNALS_H
#define RC_SV_SIGNALS_H

/* The number of TERM, SIGTERM or 15; 0 when it is none. */
int signal_number(const char *text);

#endif
