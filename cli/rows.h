/* Prints the rows of a chunk, read through the Arrow C Data Interface as another program would. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "cli.h"
#include <pubsub/chunk.h>

/* All its rows, one a line: the data as it is, or an object with everything. The chunk has every
 * column. False: no memory. */
bool cli_rows_print(const struct cli_options *options, struct pubsub_chunk *chunk);

#endif
