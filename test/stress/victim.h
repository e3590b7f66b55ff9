/*
 * The emulator as a process that is treated badly: killed, stopped, started again on its port, told
 * to misbehave. It has TOPIC and two subscriptions, one of them with exactly-once delivery.
 *
 * One thread at a time.
 */
#ifndef STRESS_VICTIM_H
#define STRESS_VICTIM_H

#include "chance.h"

#include <sys/types.h>

#define TOPIC "projects/p/topics/stress"
#define SUBSCRIPTION "projects/p/subscriptions/stress"
#define EXACTLY_ONCE "projects/p/subscriptions/exactly-once"

struct victim {
  pid_t pid;
  bool tls;
  char endpoint[64], certificate[64], key[64];
};

bool victim_start(struct victim *victim); /* the first time on any port */
/* False: it had ended by itself (it is started again). */
bool victim_sabotage(struct victim *victim, struct chance *chance);
void victim_heal(struct victim *victim); /* it runs, and is well behaved */
/* False: it did not end cleanly. */
bool victim_stop(struct victim *victim);

#endif
