/* A small store whose files are cut at every byte, and have every byte changed: what is read back
 * is how it stood at some moment, or an error that names the place. */
#include "world.h"

#include "base/alloc.h"
#include "store/store.h"
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOT "projects/p/snapshots/snap"

static char folder[64];

static void path_of(char out[128], const char *name) {
  snprintf(out, 128, "%s/%s", folder, name);
}

static void make_folder(void) {
  const char *fast = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  snprintf(folder, sizeof folder, "%s/store_test.XXXXXX", fast);
  assert_non_null(mkdtemp(folder));
}

static void empty_folder(void) {
  DIR *dir = opendir(folder);
  const struct dirent *entry;
  char path[400];
  assert_non_null(dir);
  while ((entry = readdir(dir))) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (entry->d_name[0] != '.') unlink(path);
  }
  closedir(dir);
}

static void write_file(const char *name, const uint8_t *bytes, size_t len) {
  char path[128];
  path_of(path, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, len, file), len);
  fclose(file);
}

static size_t read_file(const char *name, uint8_t *out, size_t cap) {
  char path[128];
  path_of(path, name);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  size_t len = fread(out, 1, cap, file);
  fclose(file);
  return len;
}

/* ---- what it holds ---- */

static void note(void *user, const struct message *message) {
  char *text = user;
  size_t len = strlen(text);
  snprintf(text + len, 400 - len, "%c%c", letter_of(message),
           message->state == MESSAGE_ACKNOWLEDGED ? '-' : '+');
}

static int by_letter(const void *a, const void *b) {
  return memcmp(a, b, 2);
}

static void describe(struct broker *broker, char out[400]) {
  struct subscription *subscription = broker_subscription(broker, SUBSCRIPTION);
  struct snapshot *snapshot = broker_snapshot(broker, SNAPSHOT);
  out[0] = '\0';
  if (subscription) contents_visit(subscription, note, out);
  qsort(out, strlen(out) / 2, 2, by_letter);
  size_t len = strlen(out);
  snprintf(out + len, 400 - len, " %d%d%d", broker_topic(broker, TOPIC) != NULL,
           subscription != NULL, snapshot != NULL);
}

static void begin(struct test_world *world) {
  struct world_callbacks callbacks = {world, test_stirred, test_dead, NULL};
  *world = (struct test_world){.now_us = 1000 * SECOND, .woken_us = UINT64_MAX};
  broker_init(&world->broker, &test_source, world, &callbacks);
}

static enum pubsub_status open_again(char out[400], struct pubsub_error *error) {
  struct test_world world;
  struct store store;
  struct pubsub_error notice = {0};
  begin(&world);
  enum pubsub_status status =
      store_open(&store, folder, STORE_SYNC_ALWAYS, &world.broker, &notice, error);
  if (status == PUBSUB_OK) {
    describe(&world.broker, out);
    store_close(&store);
  }
  broker_clear(&world.broker);
  return status;
}

/* ---- a log with something of everything ---- */

struct made {
  uint8_t log[8192], checkpoint[4096];
  size_t log_bytes, checkpoint_bytes;
  char states[12][400];
  size_t count;
};

static void keep_state(struct made *made, struct test_world *world, struct store *store) {
  struct pubsub_error error = {0};
  assert_int_equal(store_commit(store, &error), PUBSUB_OK);
  describe(&world->broker, made->states[made->count++]);
}

static void publish_kept(struct test_world *world, const char *text) {
  struct world *all = &world->broker.world;
  uint8_t bytes[] = {2 << 3 | 2, 3, 1 << 3 | 2, 1, (uint8_t)text[0]};
  struct pubsub_buf buf = {0};
  pubsub_buf_append(&buf, bytes, sizeof bytes);
  struct block *block = block_new(&buf);
  uint64_t id = all->next_message_id++;
  assert_true(journal_reserve(all, sizeof bytes));
  assert_int_equal(
      broker_publish(&world->broker, world->topic, block, 2, 3, id, clock_wall_us(&all->clock)),
      PUBSUB_OK);
  JOURNAL(all, published, world->topic, block, id, 1, clock_wall_us(&all->clock));
  block_unref(block);
}

static void take_snapshot(struct test_world *world) {
  Google__Pubsub__V1__Snapshot *config = calloc(1, sizeof *config);
  google__pubsub__v1__snapshot__init(config);
  config->name = strdup(SNAPSHOT);
  config->topic = strdup(TOPIC);
  assert_non_null(broker_add_snapshot(&world->broker, world->subscription, config));
}

static void change_everything(struct made *made, struct test_world *world, struct store *store) {
  struct test_consumer consumer;
  keep_state(made, world, store);
  world->topic = add_topic(world, TOPIC);
  keep_state(made, world, store);
  world->subscription = add_subscription(world, SUBSCRIPTION);
  world->subscription->config->retain_acked_messages = true;
  JOURNAL(&world->broker.world, subscription, world->subscription);
  keep_state(made, world, store);
  publish_kept(world, "a");
  keep_state(made, world, store);
  publish_kept(world, "b");
  keep_state(made, world, store);
  consume(&consumer, world->subscription, 0);
  assert_string_equal(take_all(&consumer), "ab");
  backlog_acknowledge(world->subscription, consumer.got[0]);
  keep_state(made, world, store);
  take_snapshot(world);
  keep_state(made, world, store);
  backlog_release(&consumer.consumer, &consumer.got[1], 1);
}

/* The files as they are at the moment of a crash. */
static void make(struct made *made) {
  struct test_world world;
  struct store store;
  struct pubsub_error notice = {0}, error = {0};
  begin(&world);
  empty_folder();
  assert_int_equal(store_open(&store, folder, STORE_SYNC_ALWAYS, &world.broker, &notice, &error),
                   PUBSUB_OK);
  *made = (struct made){0};
  change_everything(made, &world, &store);
  struct pubsub_list *last = store.log.segments.prev;
  made->log_bytes = PUBSUB_CONTAINER_OF(last, struct segment, link)->bytes;
  assert_true(made->log_bytes < sizeof made->log);
  read_file("log-0000000001", made->log, made->log_bytes);
  made->checkpoint_bytes = read_file("checkpoint-0000000001", made->checkpoint, 4096);
  store_close(&store);
  broker_clear(&world.broker);
}

static void put(const struct made *made, const uint8_t *log, size_t len) {
  empty_folder();
  write_file("checkpoint-0000000001", made->checkpoint, made->checkpoint_bytes);
  write_file("log-0000000001", log, len);
}

static bool is_state_of(const struct made *made, const char *state) {
  for (size_t i = 0; i < made->count; i++) {
    if (strcmp(made->states[i], state) == 0) return true;
  }
  return false;
}

/* ---- tests ---- */

static struct made made;

static void it_is_there_again(void **state) {
  char text[400];
  struct pubsub_error error = {0};
  (void)state;
  make(&made);
  assert_string_equal(made.states[made.count - 1], "a-b+ 111");
  put(&made, made.log, made.log_bytes);
  assert_int_equal(open_again(text, &error), PUBSUB_OK);
  assert_string_equal(text, "a-b+ 111");
  assert_int_equal(open_again(text, &error), PUBSUB_OK); /* now out of a checkpoint */
  assert_string_equal(text, "a-b+ 111");
}

static void every_cut_leaves_what_was_before(void **state) {
  char text[400];
  struct pubsub_error error = {0};
  size_t states = 0;
  (void)state;
  make(&made);
  for (size_t len = HEAD_BYTES; len <= made.log_bytes; len++) {
    put(&made, made.log, len);
    assert_int_equal(open_again(text, &error), PUBSUB_OK);
    while (strcmp(text, made.states[states]) != 0) /* never one of before again */
      assert_true(++states < made.count);
  }
  assert_int_equal(states, made.count - 1);
}

/* What a flipped byte leaves is a moment of before, or told. */
static void every_flipped_byte_is_noticed(void **state) {
  char text[400];
  (void)state;
  make(&made);
  for (size_t at = 0; at < made.log_bytes; at++) {
    struct pubsub_error error = {0};
    made.log[at] ^= 1 << at % 8;
    put(&made, made.log, made.log_bytes);
    if (open_again(text, &error) == PUBSUB_OK) {
      assert_true(is_state_of(&made, text) || strcmp(text, made.states[0]) == 0);
    } else {
      assert_non_null(strstr(error.text, "log-0000000001 is damaged at byte "));
    }
    made.log[at] ^= 1 << at % 8;
  }
}

static void what_was_durable_is_never_dropped(void **state) {
  char text[400];
  (void)state;
  make(&made);
  /* Of the first frame: all later ones say that it was on the disk. */
  for (size_t at = HEAD_BYTES; at < HEAD_BYTES + 40; at++) {
    struct pubsub_error error = {0};
    made.log[at] ^= 1;
    put(&made, made.log, made.log_bytes);
    assert_int_equal(open_again(text, &error), PUBSUB_E_INVALID);
    assert_non_null(strstr(error.text, "log-0000000001 is damaged at byte 64: "));
    made.log[at] ^= 1;
  }
}

static void a_damaged_checkpoint_is_told(void **state) {
  char text[400];
  struct pubsub_error error = {0};
  uint8_t whole[4096];
  (void)state;
  make(&made);
  put(&made, made.log, made.log_bytes);
  assert_int_equal(open_again(text, &error), PUBSUB_OK);
  size_t len = read_file("checkpoint-0000000002", whole, sizeof whole);
  for (size_t at = 0; at < len; at++) {
    whole[at] ^= 1;
    write_file("checkpoint-0000000002", whole, len);
    assert_int_equal(open_again(text, &error), PUBSUB_E_INVALID);
    assert_non_null(strstr(error.text, "checkpoint-0000000002 is damaged at byte "));
    whole[at] ^= 1;
  }
}

/* Cut at any byte it is no checkpoint; it is only ever named once it is whole. */
static void a_cut_checkpoint_is_told(void **state) {
  char text[400];
  struct pubsub_error error = {0};
  (void)state;
  make(&made);
  for (size_t len = 0; len < made.checkpoint_bytes; len++) {
    put(&made, made.log, made.log_bytes);
    write_file("checkpoint-0000000001", made.checkpoint, len);
    assert_int_equal(open_again(text, &error), PUBSUB_E_INVALID);
  }
}

static void without_memory(void **state) {
  char text[400];
  (void)state;
  make(&made);
  enum pubsub_status status = PUBSUB_E_NOMEM;
  for (uint64_t i = 1; status != PUBSUB_OK; i++) {
    struct pubsub_error error = {0};
    put(&made, made.log, made.log_bytes);
    pubsub_alloc_fail_after(i);
    status = open_again(text, &error);
    pubsub_alloc_fail_after(0);
    if (status != PUBSUB_OK) assert_int_equal(status, PUBSUB_E_NOMEM);
  }
  assert_string_equal(text, "a-b+ 111");
}

static int set_up(void **state) {
  (void)state;
  make_folder();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  empty_folder();
  return rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_is_there_again, no_leaks),
      cmocka_unit_test_teardown(every_cut_leaves_what_was_before, no_leaks),
      cmocka_unit_test_teardown(every_flipped_byte_is_noticed, no_leaks),
      cmocka_unit_test_teardown(what_was_durable_is_never_dropped, no_leaks),
      cmocka_unit_test_teardown(a_damaged_checkpoint_is_told, no_leaks),
      cmocka_unit_test_teardown(a_cut_checkpoint_is_told, no_leaks),
      cmocka_unit_test_teardown(without_memory, no_leaks),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
