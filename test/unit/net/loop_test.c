/* The event loop: what is taken out of it is never called again, whoever takes it out and when;
 * nothing starves. */
#include "base/alloc.h"
#include "net/loop.h"
#include "support.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pubsub_loop *loop;
static int pipes[2][2];

struct watched {
  struct pubsub_io io;
  unsigned runs;
};
static struct watched *first, *second;

static void on_stop(struct pubsub_timer *timer) {
  (void)timer;
  pubsub_loop_stop(loop);
}

static struct watched *watch(int fd, void (*run)(struct pubsub_io *, unsigned)) {
  struct watched *self = pubsub_alloc_zero(1, sizeof *self);
  self->io = (struct pubsub_io){.fd = fd, .run = run};
  assert_int_equal(pubsub_loop_io_add(loop, &self->io, PUBSUB_IO_READ, NULL), PUBSUB_OK);
  return self;
}

static void unwatch(struct watched **self) {
  pubsub_loop_io_remove(loop, &(*self)->io);
  pubsub_free(*self);
  *self = NULL;
}

static void run_for_ms(uint64_t ms) {
  struct pubsub_timer stop = {.run = on_stop};
  pubsub_loop_timer_set(loop, &stop, pubsub_loop_now_us(loop) + ms * 1000);
  pubsub_loop_run(loop);
}

static int set_up(void **state) {
  (void)state;
  assert_int_equal(pubsub_loop_new(&loop, NULL), PUBSUB_OK);
  for (int i = 0; i < 2; i++)
    assert_int_equal(pipe(pipes[i]), 0);
  return 0;
}

static int tear_down(void **state) {
  pubsub_loop_destroy(loop);
  for (int i = 0; i < 4; i++)
    close(pipes[i / 2][i % 2]);
  return no_leaks(state);
}

static void put(int which) {
  assert_int_equal(write(pipes[which][1], "x", 1), 1);
}

static void take(struct pubsub_io *io) {
  char c;
  assert_int_equal(read(io->fd, &c, 1), 1);
}

/* ---- an io that is removed while its event is pending ---- */

static void must_not_run(struct pubsub_io *io, unsigned events) {
  (void)io;
  (void)events;
  fail_msg("an io that was removed has run");
}

static void remove_second_by_timer(struct pubsub_timer *timer) {
  (void)timer;
  unwatch(&second);
}
static void remove_second_by_task(struct pubsub_task *task) {
  (void)task;
  unwatch(&second);
}
static struct pubsub_timer remover = {.run = remove_second_by_timer};
static struct pubsub_task removing = {.run = remove_second_by_task};

/* Makes the second readable, and sees that it is gone before the loop comes to its event. */
static void on_first_sets_timer(struct pubsub_io *io, unsigned events) {
  (void)events;
  take(io);
  put(1);
  pubsub_loop_timer_set(loop, &remover, pubsub_loop_now_us(loop));
}
static void on_first_posts(struct pubsub_io *io, unsigned events) {
  (void)events;
  take(io);
  put(1);
  pubsub_loop_post(loop, &removing);
}
static void on_either_removes_the_other(struct pubsub_io *io, unsigned events) {
  (void)events;
  unwatch(io == &first->io ? &second : &first);
  pubsub_loop_stop(loop);
}

static void a_timer_removes_an_io_that_is_pending(void **state) {
  (void)state;
  first = watch(pipes[0][0], on_first_sets_timer);
  second = watch(pipes[1][0], must_not_run);
  put(0);
  run_for_ms(20);
  assert_null(second);
  unwatch(&first);
}

static void a_task_removes_an_io_that_is_pending(void **state) {
  (void)state;
  first = watch(pipes[0][0], on_first_posts);
  second = watch(pipes[1][0], must_not_run);
  put(0);
  run_for_ms(20);
  assert_null(second);
  unwatch(&first);
}

static void an_io_removes_another_of_its_turn(void **state) {
  (void)state;
  first = watch(pipes[0][0], on_either_removes_the_other);
  second = watch(pipes[1][0], on_either_removes_the_other);
  put(0);
  put(1);
  pubsub_loop_run(loop);
  assert_true(!first != !second);
  unwatch(first ? &first : &second);
}

/* ---- nothing starves ---- */

static unsigned timer_runs;
static void on_again_at_once(struct pubsub_timer *timer) {
  timer_runs++;
  pubsub_loop_timer_set(loop, timer, pubsub_loop_now_us(loop));
}
static void on_readable_stops(struct pubsub_io *io, unsigned events) {
  (void)events;
  take(io);
  pubsub_loop_stop(loop);
}

static void a_timer_that_is_always_due_lets_others_run(void **state) {
  struct pubsub_timer busy = {.run = on_again_at_once};
  (void)state;
  first = watch(pipes[0][0], on_readable_stops);
  pubsub_loop_timer_set(loop, &busy, 0);
  put(0);
  pubsub_loop_run(loop);
  assert_in_range(timer_runs, 1, 3);
  pubsub_loop_timer_cancel(loop, &busy);
  unwatch(&first);
}

/* ---- no memory ---- */

static void setting_a_timer_needs_no_memory(void **state) {
  struct pubsub_timer timers[100] = {0};
  (void)state;
  pubsub_alloc_fail_after(1);
  for (int i = 0; i < 100; i++)
    pubsub_loop_timer_set(loop, &timers[i], (uint64_t)i);
  pubsub_alloc_fail_after(0);
  for (int i = 0; i < 100; i++) {
    assert_true(pubsub_timer_is_set(&timers[i]));
    pubsub_loop_timer_cancel(loop, &timers[i]);
    assert_false(pubsub_timer_is_set(&timers[i]));
  }
}

/* ---- tasks ---- */

struct counted_task {
  struct pubsub_task task;
  unsigned runs;
};
static void on_task(struct pubsub_task *task) {
  ((struct counted_task *)task)->runs++;
}

static void after_join_every_task_has_run(void **state) {
  (void)state;
  for (int i = 0; i < 200; i++) {
    struct counted_task task = {.task.run = on_task};
    assert_int_equal(pubsub_loop_start_thread(loop, "test-loop", NULL), PUBSUB_OK);
    pubsub_loop_stop(loop); /* races with what is posted */
    pubsub_loop_post(loop, &task.task);
    pubsub_loop_join(loop);
    assert_int_equal(task.runs, 1);
  }
}

static void on_call(void *user) {
  unsigned *runs = user;
  assert_true(pubsub_loop_is_current(loop));
  ++*runs;
}

static void a_call_has_run_when_it_returns(void **state) {
  unsigned runs = 0;
  (void)state;
  pubsub_loop_call(loop, on_call, &runs); /* nobody runs the loop: here */
  assert_int_equal(runs, 1);
  assert_int_equal(pubsub_loop_start_thread(loop, "test-loop", NULL), PUBSUB_OK);
  assert_false(pubsub_loop_is_current(loop));
  for (unsigned i = 2; i < 500; i++) {
    pubsub_loop_call(loop, on_call, &runs);
    assert_int_equal(runs, i);
  }
  pubsub_loop_join(loop);
  assert_true(pubsub_loop_is_current(loop));
}

/* ---- what the loop is promised ---- */

static void use_from_another_thread(void) {
  static struct pubsub_timer timer;
  pubsub_loop_start_thread(loop, "test-loop", NULL);
  pubsub_loop_timer_set(loop, &timer, 0);
}
static void destroy_with_a_timer(void) {
  static struct pubsub_timer timer;
  pubsub_loop_timer_set(loop, &timer, 0);
  pubsub_loop_destroy(loop);
}
static void destroy_with_an_io(void) {
  static struct pubsub_io io;
  io.fd = pipes[0][0];
  pubsub_loop_io_add(loop, &io, PUBSUB_IO_READ, NULL);
  pubsub_loop_destroy(loop);
}
static void remove_an_io_twice(void) {
  static struct pubsub_io io;
  io.fd = pipes[0][0];
  pubsub_loop_io_add(loop, &io, PUBSUB_IO_READ, NULL);
  pubsub_loop_io_remove(loop, &io);
  pubsub_loop_io_remove(loop, &io);
}
static void post_a_task_twice(void) {
  static struct counted_task task = {.task.run = on_task};
  pubsub_loop_post(loop, &task.task);
  pubsub_loop_post(loop, &task.task);
}

/* A child process breaks the promise, and is stopped by the check. */
static void broken_promises_are_found(void **state) {
  static void (*const breaks[])(void) = {use_from_another_thread, destroy_with_a_timer,
                                         destroy_with_an_io, remove_an_io_twice, post_a_task_twice};
  (void)state;
  for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
    int status;
    pid_t child = fork();
    if (child == 0) {
      signal(SIGABRT, SIG_DFL);
      dup2(open("/dev/null", O_WRONLY), 2);
      breaks[i]();
      _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
#ifdef PUBSUB_ASSERTIONS
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
#endif
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_timer_removes_an_io_that_is_pending, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_task_removes_an_io_that_is_pending, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_io_removes_another_of_its_turn, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_timer_that_is_always_due_lets_others_run, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(setting_a_timer_needs_no_memory, set_up, tear_down),
      cmocka_unit_test_setup_teardown(after_join_every_task_has_run, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_call_has_run_when_it_returns, set_up, tear_down),
      cmocka_unit_test_setup_teardown(broken_promises_are_found, set_up, tear_down)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
