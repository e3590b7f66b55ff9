/*
 * A virtual loop: the clock, timers, deferred and posted tasks of net/loop.h, and base/clock.h, for
 * one thread that decides how time goes by. What stands on net and grpc is linked against this and
 * against service.h instead: the real files of src/sub run here as they are, without a socket and
 * without waiting.
 */
#ifndef SIM_VIRTUAL_H
#define SIM_VIRTUAL_H

#include "base/rng.h"
#include "net/loop.h"

/* Starts a world: the time, and what is drawn in it. */
void virtual_start(uint64_t seed);
/* Nothing may be left that is to happen. */
void virtual_end(void);
uint64_t virtual_now_us(void);
struct pubsub_loop *virtual_loop(void);
struct pubsub_rng *virtual_rng(void);
/* A number from low to high, and whether something of this likelihood happens. */
uint64_t virtual_draw(uint64_t low, uint64_t high);
bool virtual_happens(double likelihood);
/* Does what is due next, no later than `until_us`. False: nothing is; the time is until_us. */
bool virtual_step(uint64_t until_us);

#endif
