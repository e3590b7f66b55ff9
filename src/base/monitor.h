/*
 * A mutex and a condition on the monotonic clock: how a caller's thread waits for what a loop's
 * thread changes. Whoever changes what is guarded wakes; whoever waits looks again, because a wait
 * may end without a reason. Times are those of pubsub_clock_now_us.
 */
#ifndef PUBSUB_BASE_MONITOR_H
#define PUBSUB_BASE_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct pubsub_monitor {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
};
void pubsub_monitor_init(struct pubsub_monitor *monitor);
void pubsub_monitor_clear(struct pubsub_monitor *monitor); /* nobody waits or holds it */

static inline void pubsub_monitor_lock(struct pubsub_monitor *monitor) {
  pthread_mutex_lock(&monitor->mutex);
}
static inline void pubsub_monitor_unlock(struct pubsub_monitor *monitor) {
  pthread_mutex_unlock(&monitor->mutex);
}
/* These under the mutex; a wait gives it up meanwhile. */
static inline void pubsub_monitor_wake(struct pubsub_monitor *monitor) {
  pthread_cond_broadcast(&monitor->changed);
}
void pubsub_monitor_wait(struct pubsub_monitor *monitor);
/* False: the time is over. UINT64_MAX: it never is. */
bool pubsub_monitor_wait_until(struct pubsub_monitor *monitor, uint64_t until_us);

#endif
