/* The emulator as a process of its own, for integration tests. One at a time. */
#ifndef TEST_EMULATOR_PROCESS_H
#define TEST_EMULATOR_PROCESS_H

/* Starts the binary at `path` on `port` ("0": any free one); returns "HOST:PORT", valid until
 * stop. */
const char *emulator_start(const char *path, const char *port);
/* Ends it with SIGTERM; fails the test where it does not end cleanly. */
void emulator_stop(void);
/* It stands still, with its connections open, until it may go on. */
void emulator_pause(void);
void emulator_go_on(void);

#endif
