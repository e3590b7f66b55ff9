/*
 * The access token that calls must carry, as the service demands one: `authorization: Bearer
 * VALUE`. Without one, every call is served. The token is never written anywhere. Loop thread only.
 */
#ifndef EMULATOR_RPC_TOKEN_H
#define EMULATOR_RPC_TOKEN_H

#include "base/bytes.h"

struct token {
  struct pubsub_buf value; /* empty: none is required */
};

/* From a file, where there is one of that name, without its last newline; otherwise the text
 * itself. Errors: NOMEM, IO, INVALID (it is empty, or too long for a token). */
enum pubsub_status token_require(struct token *token, const char *file_or_value,
                                 struct pubsub_error *error);
/* From the text itself. "": none. Errors: NOMEM. */
enum pubsub_status token_set(struct token *token, const char *value, struct pubsub_error *error);
/* What is wrong with a call's `authorization` (empty: it has none); NULL: nothing. */
const char *token_problem(const struct token *token, struct pubsub_view authorization);
void token_clear(struct token *token);

#endif
