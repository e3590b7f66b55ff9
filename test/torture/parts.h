/*
 * What scenarios are made of: one part for each area of the library, in two halves. work_x calls
 * its functions while calls fail; each must work, or say why not. recover_x comes when nothing
 * fails any more: the same objects must then do their work, or have said for good why they cannot,
 * and new ones must.
 */
#ifndef TORTURE_PARTS_H
#define TORTURE_PARTS_H

#include "world.h"

/* pubsub_client_new, set_token. False: there is none. */
bool work_connect(struct world *world);
void recover_connect(struct world *world);

void work_admin(struct world *world);
void recover_admin(struct world *world);

/* Publishes MESSAGES messages in every way there is. */
#define MESSAGES 12
void work_write(struct world *world);
void recover_write(struct world *world);

/* Reads and settles what is in SUBSCRIPTION. */
void work_read(struct world *world);
void recover_read(struct world *world); /* until nothing is left in it */

/* MESSAGES messages, by a client that is not under torture. */
void fill(struct world *world);

/* The client's objects, in their order. */
void end_all(struct world *world);

#endif
