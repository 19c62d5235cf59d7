# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# A tree that lint accepts, and for each check a file that it must turn down in
# it. To be sourced by scripts/lint.

# good_tree DIR: as small as a tree with a file for each check can be
good_tree()
{
	mkdir -p "$1"/{module/compat,include/uapi/linux,scripts,docs,selftests/unit}
	cd "$1" || return
	git init --quiet
	cat >Kbuild <<'END'
# SPDX-License-Identifier: GPL-2.0-only
obj-m := sample.o
sample-y := module/main.o module/pure.o
END
	cat >module/pure.h <<'END'
/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PURE_H
#define _PURE_H

#include <linux/types.h>

int pure_sum(const __u8 *bytes, int count);

#endif /* _PURE_H */
END
	cat >module/pure.c <<'END'
// SPDX-License-Identifier: GPL-2.0-only
#ifdef __KERNEL__
#include <linux/errno.h>
#else
#include "user.h"
#endif

#include "pure.h"

/**
 * pure_sum() - add up bytes
 * @bytes: what to add
 * @count: of bytes
 *
 * Return: their sum.
 */
int pure_sum(const __u8 *bytes, int count)
{
	int sum = 0;
	int i;

	for (i = 0; i < count; i++)
		sum += bytes[i];
	return sum;
}
END
	cat >module/main.c <<'END'
// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

#include "pure.h"

static int __init sample_init(void)
{
	return pure_sum(NULL, 0);
}

module_init(sample_init);
MODULE_DESCRIPTION("What lint accepts");
MODULE_LICENSE("GPL");
END
	cat >selftests/unit/user.h <<'END'
/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/types.h>
END
	cat >selftests/unit/pure_test.c <<'END'
// SPDX-License-Identifier: GPL-2.0-only
#include "user.h"
#include "pure.h"

#define UNIT(test) int test(void)

UNIT(pure_sum__of_nothing)
{
	return pure_sum(NULL, 0);
}
END
	cat >docs/protocol.md <<'END'
<!-- SPDX-License-Identifier: GPL-2.0-only -->

| rule | test |
| --- | --- |
| of nothing the sum is 0 | `pure_sum__*` |
END
	cat >include/uapi/linux/ferry.h <<'END'
/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#define SOL_FERRY	388
#define FERRY_SUM	1
END
	cat >selftests/hello.sh <<'END'
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
case_sums()
{
	echo 0
}
case_sums
END
	cat >docs/conformance.md <<'END'
<!-- SPDX-License-Identifier: GPL-2.0-only -->

| name | what Ferry does | test |
| --- | --- | --- |
| `FERRY_SUM` | adds up | `hello: sums` |
END
	cat >docs/ferry.7 <<'END'
.\" SPDX-License-Identifier: GPL-2.0-only
.Dd January 1, 2026
.Dt FERRY 7
.Os
.Sh NAME
.Nm ferry
.Nd add up
.Sh DESCRIPTION
.Dv FERRY_SUM
adds up.
END
	cat >scripts/hello <<'END'
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
echo "hello, $1"
END
	cat >docs/hello.8 <<'END'
.\" SPDX-License-Identifier: GPL-2.0-only
.Dd January 1, 2026
.Dt HELLO 8
.Os
.Sh NAME
.Nm hello
.Nd greet
.Sh DESCRIPTION
.Nm
greets.
END
}

# bad_CHECK: in the good tree, put the fault that CHECK is there to find; print
# the name of the file that has it

bad_spdx()
{
	echo 'A file without a licence.' >docs/README
	echo docs/README
}

bad_versions()
{
	echo 'int version = LINUX_VERSION_CODE;' >>module/main.c
	echo module/main.c
}

bad_pure()
{
	sed -i '/types.h/a #include <linux/skbuff.h>' module/pure.h
	echo module/pure.h
}

bad_functions()
{
	{
		printf 'int longest(int n)\n{\n'
		yes '	n++;' | head -n 101
		printf '}\n'
	} >>module/main.c
	echo module/main.c
}

bad_rules()
{
	sed -i 's/pure_sum__/pure_difference__/' docs/protocol.md
	echo docs/protocol.md
}

bad_conformance()
{
	# shellcheck disable=SC2016
	echo '| `FERRY_PRODUCT` | multiplies | |' >>docs/conformance.md
	echo docs/conformance.md
}

bad_checkpatch()
{
	printf '\nint spaces ( int n ) { return( n ) ; }\n' >>module/main.c
	echo module/main.c
}

bad_kernel_doc()
{
	sed -i 's/@count: of bytes/@length: of bytes/' module/pure.c
	echo module/pure.c
}

bad_shellcheck()
{
	# shellcheck disable=SC2016
	echo 'rm $1/*' >>scripts/hello
	echo scripts/hello
}

bad_mandoc()
{
	echo '.Nonesuch macro' >>docs/hello.8
	echo docs/hello.8
}

bad_analyzer()
{
	sed -i 's/int sum = 0;/int sum;/' module/pure.c
	echo module/pure.c
}

bad_cppcheck()
{
	printf '\nint past(void)\n{\n\tint two[2] = {1, 2};\n\n\treturn two[2];\n}\n' \
		>>module/main.c
	echo module/main.c
}

bad_warnings()
{
	sed -i 's/int i;/int i, unused;\n\n\tunused = 1;/' module/pure.c
	echo module/pure.c
}

bad_sparse()
{
	printf '\n__be32 swapped(u32 host);\n__be32 swapped(u32 host)\n{\n\treturn host;\n}\n' \
		>>module/main.c
	echo module/main.c
}

# turns_down CHECK: CHECK accepts the good tree, and finds the fault in the bad
turns_down()
{
	local file

	good_tree "$trees/good-$1"
	"lint_$1" >"$output" 2>&1 || {
		echo "$1 does not accept the good tree" >>"$output"
		return 1
	}
	good_tree "$trees/bad-$1"
	file=$("bad_$1")
	if "lint_$1" >"$output" 2>&1; then
		echo "$1 accepts the fault in $file" >>"$output"
		return 1
	fi
	grep -qF "$file" "$output" || {
		echo "$1 fails, but does not name $file" >>"$output"
		return 1
	}
}

# lint_self_test CHECK...
lint_self_test()
{
	local check status trees

	trees=$(mktemp -d)
	for check; do
		status=0
		turns_down "$check" || status=1
		report $status "$check turns down a fault, and nothing else"
	done
	cd "$ROOT" || return
	rm -rf "$trees"
}
