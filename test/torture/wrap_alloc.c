/* Every allocation, whoever makes it: --wrap reaches calls from static libraries too. */
#include "fault.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *ptr, size_t bytes);
char *__real_strdup(const char *text);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *ptr, size_t bytes);
char *__wrap_strdup(const char *text);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);

static bool fails(const char *name) {
  if (!fault_strikes(FAULT_ALLOC, name)) return false;
  errno = ENOMEM;
  return true;
}

void *__wrap_malloc(size_t bytes) {
  return fails("malloc") ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
  return fails("calloc") ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *ptr, size_t bytes) {
  return fails("realloc") ? NULL : __real_realloc(ptr, bytes);
}

char *__wrap_strdup(const char *text) {
  return fails("strdup") ? NULL : __real_strdup(text);
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  return fails("mmap") ? MAP_FAILED : __real_mmap(address, bytes, protection, flags, fd, offset);
}
