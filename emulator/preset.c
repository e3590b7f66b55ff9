#include "preset.h"

#include "api/names.h"
#include "api/settings.h"
#include "base/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum pubsub_status preset_topic(struct broker *broker, const char *name,
                                struct pubsub_error *error) {
  const char *problem = name_problem(name, "topics");
  if (problem) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "'%s' is not projects/PROJECT/topics/NAME: %s",
                            name, problem);
  }
  if (broker_topic(broker, name)) return PUBSUB_OK;
  Google__Pubsub__V1__Topic *config = malloc(sizeof *config);
  if (!config) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  google__pubsub__v1__topic__init(config);
  config->name = strdup(name);
  if (config->name && broker_add_topic(broker, config)) return PUBSUB_OK;
  google__pubsub__v1__topic__free_unpacked(config, NULL);
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}

enum pubsub_status preset_subscription(struct broker *broker, const char *text,
                                       struct pubsub_error *error) {
  char name[600];
  const char *topic = strchr(text, '=');
  snprintf(name, sizeof name, "%.*s", topic ? (int)(topic - text) : 0, text);
  const char *problem = topic ? name_problem(name, "subscriptions") : "a topic must be named";
  if (!problem && broker_subscription(broker, name)) problem = "it is there already";
  if (problem) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "'%s' is not projects/PROJECT/subscriptions/NAME=TOPIC: %s", text,
                            problem);
  }
  enum pubsub_status status = preset_topic(broker, ++topic, error);
  if (status != PUBSUB_OK) return status;
  Google__Pubsub__V1__Subscription *config = malloc(sizeof *config);
  if (!config) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  google__pubsub__v1__subscription__init(config);
  config->name = strdup(name);
  config->topic = strdup(topic);
  config->state = GOOGLE__PUBSUB__V1__SUBSCRIPTION__STATE__ACTIVE;
  if (config->name && config->topic && settings_check_subscription(config, error) == PUBSUB_OK &&
      broker_add_subscription(broker, broker_topic(broker, topic), config, NULL)) {
    return PUBSUB_OK;
  }
  google__pubsub__v1__subscription__free_unpacked(config, NULL);
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}

/* "TOPIC:SUBSCRIPTION:SUBSCRIPTION" of a project; takes the text apart. */
static enum pubsub_status preset_topic_of(struct broker *broker, const char *project, char *text,
                                          struct pubsub_error *error) {
  char topic[600], both[1300], *rest = NULL, *name = strtok_r(text, ":", &rest);
  snprintf(topic, sizeof topic, "projects/%s/topics/%s", project, name ? name : "");
  enum pubsub_status status = preset_topic(broker, topic, error);
  while (status == PUBSUB_OK && (name = strtok_r(NULL, ":", &rest))) {
    int len = snprintf(both, sizeof both, "projects/%s/subscriptions/%s", project, name);
    if (len < 0 || broker_subscription(broker, both)) continue;
    snprintf(both, sizeof both, "projects/%s/subscriptions/%s=%s", project, name, topic);
    status = preset_subscription(broker, both, error);
  }
  return status;
}

enum pubsub_status preset_project(struct broker *broker, const char *text,
                                  struct pubsub_error *error) {
  char *copy = strdup(text), *rest = NULL, *part;
  if (!copy) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  enum pubsub_status status = PUBSUB_OK;
  const char *project = strtok_r(copy, ",", &rest);
  if (!project) {
    status =
        pubsub_error_set(error, PUBSUB_E_INVALID, "'%s' is not PROJECT,TOPIC:SUBSCRIPTION,…", text);
  }
  while (status == PUBSUB_OK && (part = strtok_r(NULL, ",", &rest)))
    status = preset_topic_of(broker, project, part, error);
  free(copy);
  return status;
}
