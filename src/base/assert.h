/*
 * What the code promises itself, checked in every build but a release: on which thread a function
 * runs, that nothing names what is freed. A check that fails ends the process with its text; it is
 * never the answer to something that a peer, a user or a lack of memory can bring about.
 */
#ifndef PUBSUB_BASE_ASSERT_H
#define PUBSUB_BASE_ASSERT_H

#ifdef PUBSUB_ASSERTIONS
#define PUBSUB_ASSERT(condition)                                                                   \
  ((condition) ? (void)0 : pubsub_assert_failed(#condition, __FILE__, __LINE__))
#else
#define PUBSUB_ASSERT(condition) ((void)sizeof(condition)) /* compiled, not evaluated */
#endif

__attribute__((noreturn, cold)) void pubsub_assert_failed(const char *condition, const char *file,
                                                          int line);

#endif
