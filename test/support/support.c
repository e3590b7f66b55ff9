#include "support.h"

#include "base/alloc.h"

int no_leaks(void **state) {
  (void)state;
  pubsub_alloc_fail_after(0);
  return pubsub_alloc_live() == 0 ? 0 : -1;
}
