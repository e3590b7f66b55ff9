/* CRC-32C (Castagnoli): of every frame of a store. By the processor where it can. Pure. */
#ifndef EMULATOR_STORE_CRC_H
#define EMULATOR_STORE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`: 0, or a file's seed. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len); /* the same */

#endif
