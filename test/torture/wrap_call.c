/*
 * Calls into the kernel and into TLS. Each fails with what it can fail with: a wait is interrupted
 * (every other time, or nothing would ever end), a socket is reset, a table is full. Not failed:
 * changing or removing a descriptor that epoll knows, and waking an eventfd, which cannot fail.
 */
#include "fault.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>

static bool fails(const char *name, int with) {
  if (!fault_strikes(FAULT_CALL, name)) return false;
  errno = with;
  return true;
}

#define WRAP(type, name, with, parameters, arguments)                                              \
  type __real_##name parameters;                                                                   \
  type __wrap_##name parameters;                                                                   \
  type __wrap_##name parameters {                                                                  \
    return fails(#name, with) ? (type)-1 : __real_##name arguments;                                \
  }

WRAP(int, socket, EMFILE, (int family, int type, int protocol), (family, type, protocol))
WRAP(int, connect, ECONNREFUSED, (int fd, const struct sockaddr *name, socklen_t len),
     (fd, name, len))
WRAP(int, bind, EADDRINUSE, (int fd, const struct sockaddr *name, socklen_t len), (fd, name, len))
WRAP(int, listen, EADDRINUSE, (int fd, int backlog), (fd, backlog))
WRAP(int, accept4, EMFILE, (int fd, struct sockaddr *name, socklen_t *len, int flags),
     (fd, name, len, flags))
WRAP(int, getsockname, ENOBUFS, (int fd, struct sockaddr *name, socklen_t *len), (fd, name, len))
WRAP(int, getsockopt, ENOBUFS, (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len))
WRAP(int, setsockopt, ENOMEM, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len))
WRAP(int, shutdown, ENOTCONN, (int fd, int how), (fd, how))
WRAP(ssize_t, recv, ECONNRESET, (int fd, void *out, size_t len, int flags), (fd, out, len, flags))
WRAP(ssize_t, sendmsg, EPIPE, (int fd, const struct msghdr *message, int flags),
     (fd, message, flags))
WRAP(ssize_t, getrandom, ENOSYS, (void *out, size_t len, unsigned flags), (out, len, flags))
WRAP(int, epoll_create1, EMFILE, (int flags), (flags))
WRAP(int, eventfd, EMFILE, (unsigned value, int flags), (value, flags))

int __real_epoll_ctl(int set, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int set, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int set, int operation, int fd, struct epoll_event *event) {
  if (operation == EPOLL_CTL_ADD && fails("epoll_ctl", ENOSPC)) return -1;
  return __real_epoll_ctl(set, operation, fd, event);
}

int __real_epoll_wait(int set, struct epoll_event *events, int capacity, int timeout_ms);
int __wrap_epoll_wait(int set, struct epoll_event *events, int capacity, int timeout_ms);
int __wrap_epoll_wait(int set, struct epoll_event *events, int capacity, int timeout_ms) {
  static _Thread_local bool interrupted;
  if (!interrupted && fails("epoll_wait", EINTR)) {
    interrupted = true;
    return -1;
  }
  interrupted = false;
  return __real_epoll_wait(set, events, capacity, timeout_ms);
}

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out) {
  return fails("getaddrinfo", 0) ? EAI_AGAIN : __real_getaddrinfo(host, service, hints, out);
}

/* ---- threads: a new one is of its maker's side ---- */

struct start {
  void *(*run)(void *user);
  void *user;
  enum side side;
};

static void *run_on_side(void *user) {
  struct start start = *(struct start *)user;
  free(user);
  side_enter(start.side);
  return start.run(start.user);
}

int __real_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user) {
  if (fails("pthread_create", EAGAIN)) return EAGAIN;
  enum side side = side_enter(SIDE_NONE);
  struct start *start = malloc(sizeof *start);
  side_enter(side);
  if (!start) return EAGAIN;
  *start = (struct start){run, user, side};
  int failed = __real_pthread_create(out, attributes, run_on_side, start);
  if (failed) free(start);
  return failed;
}

/* ---- TLS ---- */

/* As OpenSSL leaves it where it could not get memory, or met what it did not expect. */
static bool tls_fails(const char *name) {
  if (!fault_strikes(FAULT_CALL, name)) return false;
  enum side side = side_enter(SIDE_NONE);
  ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
  side_enter(side);
  return true;
}

#define WRAP_TLS(type, name, failure, parameters, arguments)                                       \
  type __real_##name parameters;                                                                   \
  type __wrap_##name parameters;                                                                   \
  type __wrap_##name parameters {                                                                  \
    return tls_fails(#name) ? failure : __real_##name arguments;                                   \
  }

WRAP_TLS(SSL_CTX *, SSL_CTX_new, NULL, (const SSL_METHOD *method), (method))
WRAP_TLS(SSL *, SSL_new, NULL, (SSL_CTX * context), (context))
WRAP_TLS(BIO *, BIO_new, NULL, (const BIO_METHOD *method), (method))
WRAP_TLS(BIO_METHOD *, BIO_meth_new, NULL, (int type, const char *name), (type, name))
WRAP_TLS(int, SSL_CTX_load_verify_file, 0, (SSL_CTX * context, const char *file), (context, file))
WRAP_TLS(int, SSL_CTX_use_certificate_chain_file, 0, (SSL_CTX * context, const char *file),
         (context, file))
WRAP_TLS(int, SSL_CTX_use_PrivateKey_file, 0, (SSL_CTX * context, const char *file, int type),
         (context, file, type))
WRAP_TLS(int, SSL_CTX_set_alpn_protos, 1,
         (SSL_CTX * context, const unsigned char *names, unsigned len), (context, names, len))
WRAP_TLS(int, X509_VERIFY_PARAM_set1_host, 0,
         (X509_VERIFY_PARAM * parameters, const char *host, size_t len), (parameters, host, len))
WRAP_TLS(int, X509_VERIFY_PARAM_set1_ip_asc, 0,
         (X509_VERIFY_PARAM * parameters, const char *address), (parameters, address))
WRAP_TLS(int, SSL_do_handshake, -1, (SSL * ssl), (ssl))
WRAP_TLS(int, SSL_read, -1, (SSL * ssl, void *out, int len), (ssl, out, len))
WRAP_TLS(int, SSL_write, -1, (SSL * ssl, const void *bytes, int len), (ssl, bytes, len))
WRAP_TLS(int, SSL_shutdown, -1, (SSL * ssl), (ssl))
