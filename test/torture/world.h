/*
 * Where a scenario happens: an emulator on a loop of its own in this process (side: emulator), a
 * proxy and certificates where asked for, and what the client under torture has opened. One run,
 * one world.
 *
 * Runner's thread only, except where the library's callbacks come in.
 */
#ifndef TORTURE_WORLD_H
#define TORTURE_WORLD_H

#include "fault.h"
#include "raw_call.h"

#include <pubsub/admin.h>
#include <pubsub/publisher.h>
#include <pubsub/subscriber.h>
#include <stdatomic.h>

#define TOPIC "projects/p/topics/torture"
#define SUBSCRIPTION "projects/p/subscriptions/torture"
#define TOKEN "torture-token"

/* Made once by world_prepare. */
struct world_files {
  char folder[64], certificate[96], key[96], token[96];
  char root[96]; /* the certificate as OpenSSL finds it in a folder */
};
extern struct world_files world_files;
bool world_prepare(void);
void world_tidy(void);

struct world_options {
  bool tls, token, proxy, exactly_once;
  bool system_roots; /* no ca_file */
};

struct world {
  struct world_options options;
  struct server *server;
  struct pubsub_loop *loop;
  struct proxy *proxy;
  char endpoint[64], proxy_url[64];

  /* the client under torture; NULL where it could not be made */
  struct pubsub_client *client;
  struct pubsub_publisher *publisher;
  struct pubsub_subscriber *subscriber;
  atomic_uint_fast64_t ids; /* confirmed publishes, as on_ids tells */
  uint64_t epoch;

  unsigned complaints;
};

/* The emulator with TOPIC and SUBSCRIPTION, on the given port (0: any). The calling thread's side
 * does not matter. */
enum pubsub_status world_start_server(struct world *world, uint16_t port,
                                      struct pubsub_error *error);
void world_stop_server(struct world *world);
uint16_t world_port(const struct world *world);
enum pubsub_status world_start_proxy(struct world *world);
void world_stop_proxy(struct world *world);

/* A client with the world's options, of the calling thread's side. */
enum pubsub_status world_connect(const struct world *world, struct pubsub_client **out,
                                 struct pubsub_error *error);

/* Asks the emulator without the library, on no side: a method, or the control endpoint. */
void world_call(const struct world *world, const char *path, const uint8_t *request, size_t len,
                int timeout_ms, struct raw_answer *out);
void world_command(const struct world *world, const char *text, int timeout_ms,
                   struct raw_answer *out);

/* Something is not as it must be: said with what it was, and counted. */
void complain(struct world *world, const char *format, ...) PUBSUB_PRINTF(2, 3);
/* True: it worked. False: the error says so, or a complaint is made. */
bool worked(struct world *world, enum pubsub_status status, const struct pubsub_error *error,
            const char *what);
/* It must work: nothing fails any more. */
void must_work(struct world *world, enum pubsub_status status, const struct pubsub_error *error,
               const char *what);
uint64_t world_now_ms(void);

#endif
