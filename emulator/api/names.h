/* Names of resources: "projects/PROJECT/KIND/NAME". Pure. */
#ifndef EMULATOR_API_NAMES_H
#define EMULATOR_API_NAMES_H

#include <stddef.h>

/* What is wrong with a name (static text that goes on after a colon); NULL: nothing. kind:
 * "topics", "subscriptions", "snapshots", "schemas". */
const char *name_problem(const char *name, const char *kind);
/* The same for "projects/PROJECT". */
const char *project_problem(const char *project);
/* What follows the last slash. */
const char *name_last(const char *name);
/* "projects/PROJECT/KIND/KIND-number", in the project of another name. */
void name_assign(char *out, size_t cap, const char *like, const char *kind,
                 unsigned long long number);

#endif
