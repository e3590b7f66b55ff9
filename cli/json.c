#include "json.h"

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool is_tail(unsigned char c) {
  return (c & 0xc0) == 0x80;
}

/* The length of the valid character that begins at `at`; 0: there is none (RFC 3629, section 4). */
static size_t character_bytes(const unsigned char *at, size_t left) {
  unsigned char c = at[0];
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return left > 1 && is_tail(at[1]) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    if (left < 3 || !is_tail(at[1]) || !is_tail(at[2])) return 0;
    if (c == 0xe0 && at[1] < 0xa0) return 0;  /* longer than need be */
    return c == 0xed && at[1] > 0x9f ? 0 : 3; /* a surrogate */
  }
  if (c < 0xf0 || c > 0xf4 || left < 4) return 0;
  if (!is_tail(at[1]) || !is_tail(at[2]) || !is_tail(at[3])) return 0;
  if (c == 0xf0 && at[1] < 0x90) return 0;
  return c == 0xf4 && at[1] > 0x8f ? 0 : 4; /* above U+10FFFF */
}

static void put_character(const unsigned char *at, size_t len) {
  if (*at == '"' || *at == '\\') {
    printf("\\%c", *at);
  } else if (*at < 0x20 || *at == 0x7f) {
    printf("\\u%04x", *at);
  } else {
    fwrite(at, 1, len, stdout);
  }
}

void cli_json_text(const char *text, size_t len) {
  const unsigned char *at = (const unsigned char *)text, *end = at + len;
  putchar('"');
  while (at < end) {
    size_t bytes = character_bytes(at, (size_t)(end - at));
    if (bytes > 0) {
      put_character(at, bytes);
    } else {
      fputs(REPLACEMENT, stdout);
    }
    at += bytes ? bytes : 1;
  }
  putchar('"');
}

void cli_json_base64(const char *bytes, size_t len) {
  putchar('"');
  while (len > 0) {
    char text[PUBSUB_BASE64_CHARS(48) + 1];
    size_t piece = len < 48 ? len : 48;
    struct pubsub_view view = pubsub_view_of(bytes, piece);
    if (pubsub_base64_encode(view, true, text, sizeof text)) fputs(text, stdout);
    bytes += piece;
    len -= piece;
  }
  putchar('"');
}
