/* Values of JSON on the standard output. Whatever the bytes are, what is written is valid JSON. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stddef.h>

/* A string; each byte that is no UTF-8 becomes U+FFFD. */
void cli_json_text(const char *text, size_t len);
/* A string of base64, as the service's REST interface has bytes. */
void cli_json_base64(const char *bytes, size_t len);

#endif
