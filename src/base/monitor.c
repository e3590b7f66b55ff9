#include "base/monitor.h"

#include <errno.h>
#include <time.h>

void pubsub_monitor_init(struct pubsub_monitor *monitor) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&monitor->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&monitor->mutex, NULL);
}

void pubsub_monitor_clear(struct pubsub_monitor *monitor) {
  pthread_cond_destroy(&monitor->changed);
  pthread_mutex_destroy(&monitor->mutex);
}

void pubsub_monitor_wait(struct pubsub_monitor *monitor) {
  pthread_cond_wait(&monitor->changed, &monitor->mutex);
}

bool pubsub_monitor_wait_until(struct pubsub_monitor *monitor, uint64_t until_us) {
  if (until_us == UINT64_MAX) {
    pubsub_monitor_wait(monitor);
    return true;
  }
  struct timespec until = {(time_t)(until_us / 1000000), (long)(until_us % 1000000) * 1000};
  return pthread_cond_timedwait(&monitor->changed, &monitor->mutex, &until) != ETIMEDOUT;
}
