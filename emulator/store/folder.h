/*
 * The folder of a store: its lock and its files, by kind and number ("log-0000000007"). Every
 * failure is told with the file's name and the system's reason.
 */
#ifndef EMULATOR_STORE_FOLDER_H
#define EMULATOR_STORE_FOLDER_H

#include "store/frame.h"
#include <pubsub/error.h>
#include <sys/types.h>
#include <sys/uio.h>

#define FOLDER_PATH_BYTES 4096

struct folder {
  char *path;
  int fd;   /* the folder */
  int lock; /* held while it is open; -1: not yet */
};

/* Makes it where it is missing, and locks it. Errors: IO (another process has it), NOMEM. */
enum pubsub_status folder_open(struct folder *folder, const char *path, struct pubsub_error *error);
void folder_close(struct folder *folder);

/* "PATH/log-0000000007", for words. */
void folder_name(const struct folder *folder, enum file_kind kind, uint64_t number, char *out,
                 size_t cap);
/* Every file of a kind, in the order of numbers: *out is the caller's (pubsub_free). What was being
 * made when a process ended is removed. Errors: IO, NOMEM. */
enum pubsub_status folder_list(const struct folder *folder, enum file_kind kind, uint64_t **out,
                               size_t *count, struct pubsub_error *error);
/* A whole file. Errors: IO, NOMEM. */
enum pubsub_status folder_read(const struct folder *folder, enum file_kind kind, uint64_t number,
                               struct pubsub_buf *out, struct pubsub_error *error);
/* A new file with its head, under a name that folder_list does not see until folder_publish, which
 * also makes sure that both are on the disk. Errors: IO. */
enum pubsub_status folder_create(const struct folder *folder, const struct file_head *head, int *fd,
                                 struct pubsub_error *error);
enum pubsub_status folder_publish(const struct folder *folder, const struct file_head *head, int fd,
                                  struct pubsub_error *error);
/* What was created and not published. */
void folder_discard(const struct folder *folder, const struct file_head *head, int fd);
void folder_remove(const struct folder *folder, enum file_kind kind, uint64_t number);
/* What a process before wrote is on the disk then. Errors: IO. */
enum pubsub_status folder_sync(const struct folder *folder, enum file_kind kind, uint64_t number,
                               struct pubsub_error *error);
/* Cuts a file off. Errors: IO. */
enum pubsub_status folder_cut(const struct folder *folder, enum file_kind kind, uint64_t number,
                              uint64_t bytes, struct pubsub_error *error);

/* Of an open file: all of it is written, or an error (errno). `parts` is used up. */
bool file_write(int fd, const void *bytes, size_t len, uint64_t offset);
bool file_write_parts(int fd, struct iovec *parts, size_t count, uint64_t offset);
/* Room on the disk for bytes [from, to), which read as zeros. False: errno says why. */
bool file_allocate(int fd, uint64_t from, uint64_t to);

#endif
