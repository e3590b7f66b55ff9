#include "api/names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PROJECTS "projects/"
#define PROJECTS_LEN (sizeof PROJECTS - 1)
#define PROJECT_MOST 300

static const char form[] = "it must be projects/PROJECT/KIND/NAME, with this kind";

static const char *id_problem(const char *id) {
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+%";
  size_t len = strlen(id);
  if (strchr(id, '/')) return form;
  if (len < 3 || len > 255) return "a name has 3 to 255 letters";
  if (!isalpha((unsigned char)id[0])) return "a name begins with a letter";
  if (strncmp(id, "goog", 4) == 0) return "a name does not begin with goog";
  return strspn(id, letters) == len ? NULL : "a name has letters, digits and -_.~+% only";
}

const char *name_problem(const char *name, const char *kind) {
  size_t kind_len = strlen(kind);
  if (strncmp(name, PROJECTS, PROJECTS_LEN) != 0) return form;
  const char *project = name + PROJECTS_LEN, *end = strchr(project, '/');
  if (!end || end == project || end - project > PROJECT_MOST) return form;
  if (strncmp(end + 1, kind, kind_len) != 0 || end[1 + kind_len] != '/') return form;
  return id_problem(end + kind_len + 2);
}

const char *project_problem(const char *project) {
  const char *id = project + PROJECTS_LEN;
  bool good = strncmp(project, PROJECTS, PROJECTS_LEN) == 0 && *id && !strchr(id, '/') &&
              strlen(id) <= PROJECT_MOST;
  return good ? NULL : "it must be projects/PROJECT";
}

const char *name_last(const char *name) {
  const char *slash = strrchr(name, '/');
  return slash ? slash + 1 : name;
}

void name_assign(char *out, size_t cap, const char *like, const char *kind,
                 unsigned long long number) {
  size_t project = PROJECTS_LEN + strcspn(like + PROJECTS_LEN, "/");
  snprintf(out, cap, "%.*s/%s/%s-%llu", (int)project, like, kind, kind, number);
}
