#include "rpc/timeout.h"

uint64_t timeout_parse(struct pubsub_view text) {
  static const struct {
    uint8_t unit;
    uint64_t ns;
  } units[] = {{'H', 3600000000000}, {'M', 60000000000}, {'S', 1000000000},
               {'m', 1000000},       {'u', 1000},        {'n', 1}};
  uint64_t number = 0;
  if (text.len < 2 || text.len > 9) return UINT64_MAX;
  for (size_t i = 0; i + 1 < text.len; i++) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return UINT64_MAX;
    number = number * 10 + (text.ptr[i] - (unsigned)'0');
  }
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (text.ptr[text.len - 1] != units[i].unit) continue;
    return number * (units[i].ns / 1000) + (units[i].ns < 1000 ? (number + 999) / 1000 : 0);
  }
  return UINT64_MAX;
}
