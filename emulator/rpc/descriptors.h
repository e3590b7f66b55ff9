/* The .proto files that are served, as reflection tells them: generated from their descriptors
 * (tools/generate_descriptors.py). */
#ifndef EMULATOR_RPC_DESCRIPTORS_H
#define EMULATOR_RPC_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

struct descriptor_file {
  const char *name;     /* "google/pubsub/v1/pubsub.proto" */
  const uint8_t *bytes; /* an encoded google.protobuf.FileDescriptorProto */
  size_t len;
  const int *needs; /* itself and all that it imports, in any depth; ended by -1 */
};

struct descriptor_symbol {
  const char *name; /* "google.pubsub.v1.Publisher.Publish" */
  int file;
};

extern const struct descriptor_file descriptor_files[];     /* ended by name NULL */
extern const struct descriptor_symbol descriptor_symbols[]; /* ended by name NULL */
extern const char *const descriptor_services[];             /* ended by NULL */

#endif
