/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A harness for unit tests that fits on a page.
 *
 * A test is UNIT(file__case) { ... }; CHECK() and CHECK_EQ() in it, or in what
 * it calls. UNIT_MAIN() once a program, which prints TAP, its plan last: a
 * program that dies half-way has no plan, which selftests/unit/run reports.
 */
#ifndef _UNIT_H
#define _UNIT_H

#include <stdio.h>
#include <stdlib.h>

struct unit_test {
	const char *name;
	void (*run)(void);
	struct unit_test *next;
};

extern struct unit_test **unit_tail;
extern unsigned long unit_checks, unit_failures;

#define UNIT(test)							\
	static void test(void);						\
	static struct unit_test test##_unit = { #test, test, NULL };	\
	__attribute__((constructor)) static void test##_register(void)	\
	{								\
		*unit_tail = &test##_unit;				\
		unit_tail = &test##_unit.next;				\
	}								\
	static void test(void)

#define CHECK(condition)						\
	unit_check(!!(condition), __FILE__, __LINE__, #condition)

#define CHECK_EQ(left, right)						\
	unit_check_eq((unsigned long long)(left),			\
		      (unsigned long long)(right), __FILE__, __LINE__,	\
		      #left " == " #right)

/* One broken rule may fail in thousands of places: show the first few. */
#define UNIT_SHOWN	5

static inline void unit_check(int holds, const char *file, int line,
			      const char *condition)
{
	unit_checks++;
	if (!holds && unit_failures++ < UNIT_SHOWN)
		printf("# %s:%d: %s does not hold\n", file, line, condition);
}

static inline void unit_check_eq(unsigned long long left,
				 unsigned long long right, const char *file,
				 int line, const char *condition)
{
	unit_checks++;
	if (left != right && unit_failures++ < UNIT_SHOWN)
		printf("# %s:%d: %s does not hold: %llu, %llu\n", file, line,
		       condition, left, right);
}

static inline int unit_main(struct unit_test *tests)
{
	unsigned int count = 0, failed = 0;
	struct unit_test *test;

	printf("TAP version 13\n");
	for (test = tests; test; test = test->next) {
		unit_checks = 0;
		unit_failures = 0;
		test->run();
		count++;
		/* A test that checks nothing proves nothing. */
		if (!unit_checks)
			printf("# %s checks nothing\n", test->name);
		if (unit_failures || !unit_checks) {
			failed++;
			printf("not ");
		}
		printf("ok %u %s\n", count, test->name);
		fflush(stdout);
	}
	printf("1..%u\n", count);
	return !!failed;
}

#define UNIT_MAIN()							\
	static struct unit_test *unit_tests;				\
	struct unit_test **unit_tail = &unit_tests;			\
	unsigned long unit_checks, unit_failures;			\
	int main(void)							\
	{								\
		return unit_main(unit_tests);				\
	}

#endif /* _UNIT_H */
