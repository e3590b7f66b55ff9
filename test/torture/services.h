/*
 * Every unary method of the emulator, once or more, over raw calls: the emulator's half of the
 * torture. StreamingPull and Publish under load are in parts_read.c and parts_write.c.
 */
#ifndef TORTURE_SERVICES_H
#define TORTURE_SERVICES_H

#include "world.h"

/* Each call must be answered or lose its connection; patient: in time, as only one thing fails. */
void work_services(struct world *world, bool patient);
/* Each call must be answered as the table says. */
void recover_services(struct world *world);

#endif
