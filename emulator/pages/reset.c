#include "pages/reset.h"

#include "base/container.h"
#include "faults/faults.h"
#include "model/delivery.h"
#include <pubsub/error.h>

void reset_all(struct broker *broker) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    delivery_end_all(PUBSUB_CONTAINER_OF(entry, struct subscription, entry), PUBSUB_GRPC_NOT_FOUND,
                     "the emulator was reset");
  }
  broker_reset(broker);
  faults_clear(broker->faults);
  record_clear(&broker->world.record);
}
