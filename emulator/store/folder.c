#include "store/folder.h"

#include "base/alloc.h"
#include "base/error.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES 64

static const char *const prefixes[] = {[FILE_LOG] = "log", [FILE_CHECKPOINT] = "checkpoint"};

static void write_name(char out[NAME_BYTES], enum file_kind kind, uint64_t number,
                       const char *ending) {
  snprintf(out, NAME_BYTES, "%s-%010" PRIu64 "%s", prefixes[kind], number, ending);
}

void folder_name(const struct folder *folder, enum file_kind kind, uint64_t number, char *out,
                 size_t cap) {
  char name[NAME_BYTES];
  write_name(name, kind, number, "");
  snprintf(out, cap, "%s/%s", folder->path, name);
}

static enum pubsub_status fail(const struct folder *folder, const char *what, const char *name,
                               struct pubsub_error *error) {
  return pubsub_error_set(error, PUBSUB_E_IO, "cannot %s %s/%s: %s", what, folder->path, name,
                          strerror(errno));
}

/* ---- the folder ---- */

static enum pubsub_status make(const char *path, struct pubsub_error *error) {
  if (mkdir(path, 0700) == 0 || errno == EEXIST) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_IO, "cannot make the folder %s: %s", path,
                          strerror(errno));
}

static enum pubsub_status lock(struct folder *folder, struct pubsub_error *error) {
  folder->lock = openat(folder->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (folder->lock < 0) return fail(folder, "open", "lock", error);
  if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0) return PUBSUB_OK;
  if (errno != EWOULDBLOCK) return fail(folder, "lock", "lock", error);
  return pubsub_error_set(error, PUBSUB_E_IO, "%s is in use by another process", folder->path);
}

enum pubsub_status folder_open(struct folder *folder, const char *path,
                               struct pubsub_error *error) {
  size_t len = strlen(path) + 1;
  *folder = (struct folder){.path = pubsub_alloc(len), .fd = -1, .lock = -1};
  if (!folder->path) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  memcpy(folder->path, path, len);
  enum pubsub_status status = make(path, error);
  if (status != PUBSUB_OK) return status;
  folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder->fd < 0) {
    return pubsub_error_set(error, PUBSUB_E_IO, "cannot open %s: %s", path, strerror(errno));
  }
  return lock(folder, error);
}

void folder_close(struct folder *folder) {
  if (!folder->path) return;
  if (folder->lock >= 0) close(folder->lock);
  if (folder->fd >= 0) close(folder->fd);
  pubsub_free(folder->path);
  *folder = (struct folder){.fd = -1, .lock = -1};
}

/* ---- names ---- */

static int by_number(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* False: the name is of no such file. */
static bool read_name(const char *name, enum file_kind kind, uint64_t *number) {
  char again[NAME_BYTES];
  size_t len = strlen(prefixes[kind]);
  if (strncmp(name, prefixes[kind], len) != 0 || name[len] != '-') return false;
  *number = strtoull(name + len + 1, NULL, 10);
  write_name(again, kind, *number, "");
  return strcmp(name, again) == 0;
}

static bool is_unfinished(const char *name) {
  size_t len = strlen(name);
  return len > 4 && strcmp(name + len - 4, ".new") == 0 &&
         (strncmp(name, "log-", 4) == 0 || strncmp(name, "checkpoint-", 11) == 0);
}

static enum pubsub_status note(uint64_t **numbers, size_t *count, uint64_t number) {
  uint64_t *more = pubsub_realloc(*numbers, (*count + 1) * sizeof number);
  if (!more) return PUBSUB_E_NOMEM;
  more[(*count)++] = number;
  *numbers = more;
  return PUBSUB_OK;
}

enum pubsub_status folder_list(const struct folder *folder, enum file_kind kind, uint64_t **out,
                               size_t *count, struct pubsub_error *error) {
  DIR *dir = opendir(folder->path);
  const struct dirent *entry;
  uint64_t number;
  *out = NULL;
  *count = 0;
  if (!dir) return fail(folder, "read", "", error);
  enum pubsub_status status = PUBSUB_OK;
  while (status == PUBSUB_OK && (entry = readdir(dir))) {
    if (is_unfinished(entry->d_name)) unlinkat(folder->fd, entry->d_name, 0);
    if (read_name(entry->d_name, kind, &number)) status = note(out, count, number);
  }
  closedir(dir);
  if (status != PUBSUB_OK) return pubsub_error_set(error, status, "out of memory");
  if (*count > 1) qsort(*out, *count, sizeof **out, by_number);
  return status;
}

/* ---- files ---- */

static bool read_all(int fd, struct pubsub_buf *out) {
  while (out->len < out->cap) {
    ssize_t got = read(fd, out->ptr + out->len, out->cap - out->len);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    out->len += (size_t)got;
  }
  return true;
}

enum pubsub_status folder_read(const struct folder *folder, enum file_kind kind, uint64_t number,
                               struct pubsub_buf *out, struct pubsub_error *error) {
  char name[NAME_BYTES];
  struct stat stat;
  write_name(name, kind, number, "");
  int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(folder, "open", name, error);
  out->len = 0;
  enum pubsub_status status = PUBSUB_OK;
  if (fstat(fd, &stat) != 0) {
    status = fail(folder, "read", name, error);
  } else if (pubsub_buf_reserve(out, (size_t)stat.st_size + 1) != PUBSUB_OK) {
    status = pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  } else if (!read_all(fd, out)) {
    status = fail(folder, "read", name, error);
  }
  close(fd);
  return status;
}

enum pubsub_status folder_create(const struct folder *folder, const struct file_head *head, int *fd,
                                 struct pubsub_error *error) {
  char name[NAME_BYTES];
  uint8_t bytes[HEAD_BYTES];
  write_name(name, head->kind, head->number, ".new");
  *fd = openat(folder->fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (*fd < 0) return fail(folder, "make", name, error);
  file_head_write(head, bytes);
  if (file_write(*fd, bytes, sizeof bytes, 0)) return PUBSUB_OK;
  fail(folder, "write", name, error);
  folder_discard(folder, head, *fd);
  *fd = -1;
  return PUBSUB_E_IO;
}

enum pubsub_status folder_publish(const struct folder *folder, const struct file_head *head, int fd,
                                  struct pubsub_error *error) {
  char name[NAME_BYTES], unfinished[NAME_BYTES];
  write_name(name, head->kind, head->number, "");
  write_name(unfinished, head->kind, head->number, ".new");
  if (fsync(fd) != 0) return fail(folder, "sync", unfinished, error);
  if (renameat(folder->fd, unfinished, folder->fd, name) != 0) {
    return fail(folder, "rename", unfinished, error);
  }
  if (fsync(folder->fd) != 0) return fail(folder, "sync", "", error);
  return PUBSUB_OK;
}

void folder_discard(const struct folder *folder, const struct file_head *head, int fd) {
  char name[NAME_BYTES];
  write_name(name, head->kind, head->number, ".new");
  close(fd);
  unlinkat(folder->fd, name, 0);
}

void folder_remove(const struct folder *folder, enum file_kind kind, uint64_t number) {
  char name[NAME_BYTES];
  write_name(name, kind, number, "");
  unlinkat(folder->fd, name, 0);
}

enum pubsub_status folder_sync(const struct folder *folder, enum file_kind kind, uint64_t number,
                               struct pubsub_error *error) {
  char name[NAME_BYTES];
  write_name(name, kind, number, "");
  int fd = openat(folder->fd, name, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail(folder, "open", name, error);
  bool synced = fsync(fd) == 0;
  if (!synced) fail(folder, "sync", name, error);
  close(fd);
  return synced ? PUBSUB_OK : PUBSUB_E_IO;
}

enum pubsub_status folder_cut(const struct folder *folder, enum file_kind kind, uint64_t number,
                              uint64_t bytes, struct pubsub_error *error) {
  char name[NAME_BYTES];
  write_name(name, kind, number, "");
  int fd = openat(folder->fd, name, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail(folder, "open", name, error);
  bool cut = ftruncate(fd, (off_t)bytes) == 0 && fsync(fd) == 0;
  if (!cut) fail(folder, "cut", name, error);
  close(fd);
  return cut ? PUBSUB_OK : PUBSUB_E_IO;
}

/* Takes what was written off the parts. Returns how many are through. */
static size_t take_off(struct iovec *parts, size_t count, size_t written) {
  size_t through = 0;
  while (through < count && written >= parts[through].iov_len)
    written -= parts[through++].iov_len;
  if (through < count) {
    parts[through].iov_base = (uint8_t *)parts[through].iov_base + written;
    parts[through].iov_len -= written;
  }
  return through;
}

bool file_write_parts(int fd, struct iovec *parts, size_t count, uint64_t offset) {
  while (count > 0) {
    ssize_t put = pwritev(fd, parts, (int)count, (off_t)offset);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    size_t through = take_off(parts, count, (size_t)put);
    parts += through;
    count -= through;
    offset += (uint64_t)put;
  }
  return true;
}

bool file_write(int fd, const void *bytes, size_t len, uint64_t offset) {
  struct iovec part = {(void *)(uintptr_t)bytes, len};
  return len == 0 || file_write_parts(fd, &part, 1, offset);
}

bool file_allocate(int fd, uint64_t from, uint64_t to) {
  int failed;
  do {
    failed = posix_fallocate(fd, (off_t)from, (off_t)(to - from));
  } while (failed == EINTR);
  errno = failed;
  return failed == 0;
}
