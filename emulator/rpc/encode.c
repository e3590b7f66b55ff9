#include "rpc/encode.h"

#include <stdio.h>

void encode_message(const char *text, char *out, size_t cap) {
  size_t len = 0;
  for (const unsigned char *c = (const unsigned char *)text; *c && len + 4 < cap; c++) {
    if (*c < 0x20 || *c > 0x7e || *c == '%') {
      len += (size_t)snprintf(out + len, 4, "%%%02X", *c);
    } else {
      out[len++] = (char)*c;
    }
  }
  out[len] = '\0';
}
