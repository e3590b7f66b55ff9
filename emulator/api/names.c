#include "api/names.h"

#include <ctype.h>
#include <string.h>

bool name_is_good(const char *name, const char *kind) {
  if (strncmp(name, "projects/", 9) != 0) return false;
  const char *project_end = strchr(name + 9, '/');
  if (!project_end || project_end == name + 9) return false;
  size_t kind_len = strlen(kind);
  if (strncmp(project_end + 1, kind, kind_len) != 0 || project_end[1 + kind_len] != '/') {
    return false;
  }
  const char *id = project_end + kind_len + 2;
  size_t len = strlen(id);
  if (len < 3 || len > 255 || !isalpha((unsigned char)id[0]) || strncmp(id, "goog", 4) == 0) {
    return false;
  }
  return strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+%") == len;
}

const char *name_last(const char *name) {
  const char *slash = strrchr(name, '/');
  return slash ? slash + 1 : name;
}
