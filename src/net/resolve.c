#include "net/resolve.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* It belongs to its thread until that posts the answer, then to the task, which frees it. The
 * caller can only say that it waits no more. */
struct pubsub_resolve {
  struct pubsub_task task; /* posted when there is an answer */
  struct pubsub_loop *loop;
  pubsub_resolve_done_fn *on_done;
  void *user;
  char host[256], service[8];
  struct addrinfo *addresses; /* written before the task is posted */
  int failure;
  struct {
    pthread_mutex_t mutex;
    bool cancelled;
  } shared;
};

static void resolve_free(struct pubsub_resolve *resolve) {
  if (resolve->addresses) freeaddrinfo(resolve->addresses);
  pthread_mutex_destroy(&resolve->shared.mutex);
  pubsub_free(resolve);
}

static void look_up(struct pubsub_resolve *resolve, int flags) {
  struct addrinfo hints = {
      .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
  resolve->failure = getaddrinfo(resolve->host, resolve->service, &hints, &resolve->addresses);
}

static bool is_cancelled(struct pubsub_resolve *resolve) {
  pthread_mutex_lock(&resolve->shared.mutex);
  bool cancelled = resolve->shared.cancelled;
  pthread_mutex_unlock(&resolve->shared.mutex);
  return cancelled;
}

static void deliver(struct pubsub_task *task) {
  struct pubsub_resolve *resolve = PUBSUB_CONTAINER_OF(task, struct pubsub_resolve, task);
  bool cancelled = is_cancelled(resolve);
  struct addrinfo *addresses = cancelled ? NULL : resolve->addresses;
  if (addresses) resolve->addresses = NULL;
  int failure = resolve->failure;
  pubsub_resolve_done_fn *on_done = resolve->on_done;
  void *user = resolve->user;
  resolve_free(resolve);
  if (!cancelled) on_done(user, addresses, addresses ? NULL : gai_strerror(failure));
}

static void *thread_main(void *arg) {
  struct pubsub_resolve *resolve = arg;
  look_up(resolve, AI_ADDRCONFIG);
  pthread_mutex_lock(&resolve->shared.mutex);
  bool cancelled = resolve->shared.cancelled;
  /* Under the mutex: while it is held nobody can cancel and take the loop away. */
  if (!cancelled) pubsub_loop_post(resolve->loop, &resolve->task);
  pthread_mutex_unlock(&resolve->shared.mutex);
  if (cancelled) resolve_free(resolve);
  return NULL;
}

static int start_thread(struct pubsub_resolve *resolve) {
  sigset_t all, before;
  pthread_t thread;
  pthread_attr_t attributes;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&thread, &attributes, thread_main, resolve);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failed;
}

enum pubsub_status pubsub_resolve_start(struct pubsub_loop *loop, const char *host, uint16_t port,
                                        pubsub_resolve_done_fn *on_done, void *user,
                                        struct pubsub_resolve **out, struct pubsub_error *error) {
  if (strlen(host) >= sizeof((struct pubsub_resolve *)0)->host) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "host name is too long");
  }
  struct pubsub_resolve *resolve = pubsub_alloc_zero(1, sizeof *resolve);
  if (!resolve) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  resolve->task.run = deliver;
  resolve->loop = loop;
  resolve->on_done = on_done;
  resolve->user = user;
  snprintf(resolve->host, sizeof resolve->host, "%s", host);
  snprintf(resolve->service, sizeof resolve->service, "%u", port);
  pthread_mutex_init(&resolve->shared.mutex, NULL);
  look_up(resolve, AI_NUMERICHOST);
  if (resolve->failure == 0) {
    pubsub_loop_post(loop, &resolve->task);
  } else if (start_thread(resolve) != 0) {
    pthread_mutex_destroy(&resolve->shared.mutex);
    pubsub_free(resolve);
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "cannot start a thread");
  }
  *out = resolve;
  return PUBSUB_OK;
}

void pubsub_resolve_cancel(struct pubsub_resolve *resolve) {
  pthread_mutex_lock(&resolve->shared.mutex);
  resolve->shared.cancelled = true;
  pthread_mutex_unlock(&resolve->shared.mutex);
}
