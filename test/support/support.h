/* What the unit tests share: cmocka with its includes, and a teardown that fails on leaks. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* For cmocka_unit_test_teardown: nothing allocated through base/alloc.h may be left. */
int no_leaks(void **state);

#endif
