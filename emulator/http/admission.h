/*
 * Whom a server on a developer's machine answers: programs, and its own pages in a browser. A page
 * of another origin must not reach it, neither by asking (Origin, Sec-Fetch-Site) nor by a name of
 * its own that resolves to this host (Host: DNS rebinding). Pure; called for each head by the site.
 */
#ifndef EMULATOR_HTTP_ADMISSION_H
#define EMULATOR_HTTP_ADMISSION_H

#include "http/exchange.h"

struct admission {
  const char *address; /* that is listened on, numeric */
  bool wide;           /* other hosts can reach it, by names that are not known here */
};

/* NULL: it is welcome. Otherwise why it is answered 403, for its reader. */
const char *admission_problem(const struct admission *admission,
                              const struct http_request *request);

#endif
