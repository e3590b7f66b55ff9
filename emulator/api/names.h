/* Names of resources: "projects/PROJECT/KIND/NAME". Pure. */
#ifndef EMULATOR_API_NAMES_H
#define EMULATOR_API_NAMES_H

#include <stdbool.h>

/* kind: "topics", "subscriptions", "snapshots", "schemas". */
bool name_is_good(const char *name, const char *kind);
/* What follows the last slash. */
const char *name_last(const char *name);

#endif
