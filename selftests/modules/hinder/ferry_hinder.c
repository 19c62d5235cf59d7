// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that gets in the way of another's loading, for tests.
 *
 * It does one of two things, by its parameters:
 *
 *	occupy=family	take protocol family 18
 *	occupy=genl	take the name "ferry" of generic netlink families
 *	occupy=link	take the device kind "ferry"
 *
 *	fail=FUNCTION nth=N result=R pid=P
 *		let the N-th call of a kernel function that process P makes
 *		return R, without running it; /sys/module/ferry_hinder/
 *		parameters/fired then says 1
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>
#include <net/sock.h>

static char *occupy;
module_param(occupy, charp, 0444);
static char *fail;
module_param(fail, charp, 0444);
static int nth = 1;
module_param(nth, int, 0444);
static long result;
module_param(result, long, 0444);
static int pid;
module_param(pid, int, 0444);
static int fired;
module_param(fired, int, 0444);

static int hinder_create(struct net *net, struct socket *sock, int protocol,
			 int kern)
{
	return -EPROTONOSUPPORT;
}

static const struct net_proto_family hinder_family = {
	.family = AF_ASH,
	.create = hinder_create,
	.owner = THIS_MODULE,
};

static struct genl_family hinder_genl = {
	.name = "ferry",
	.version = 1,
	.module = THIS_MODULE,
};

static struct rtnl_link_ops hinder_link = {
	.kind = "ferry",
};

/* What the probed function becomes. */
static noinline long hinder_instead(void)
{
	return result;
}

static int hinder_probe_hit(struct kprobe *probe, struct pt_regs *regs)
{
	if (current->tgid != pid || fired || --nth)
		return 0;
	fired = 1;
	instruction_pointer_set(regs, (unsigned long)hinder_instead);
	return 1;
}

/* With this a probe is never made a jump, which could not go elsewhere. */
static void hinder_probe_passed(struct kprobe *probe, struct pt_regs *regs,
				unsigned long flags)
{
}

static struct kprobe hinder_probe = {
	.pre_handler = hinder_probe_hit,
	.post_handler = hinder_probe_passed,
};

static int __init hinder_init(void)
{
	if (fail) {
		hinder_probe.symbol_name = fail;
		return register_kprobe(&hinder_probe);
	}
	if (!occupy)
		return -EINVAL;
	if (!strcmp(occupy, "family"))
		return sock_register(&hinder_family);
	if (!strcmp(occupy, "genl"))
		return genl_register_family(&hinder_genl);
	if (!strcmp(occupy, "link"))
		return rtnl_link_register(&hinder_link);
	return -EINVAL;
}

static void __exit hinder_exit(void)
{
	if (fail)
		unregister_kprobe(&hinder_probe);
	else if (!strcmp(occupy, "family"))
		sock_unregister(AF_ASH);
	else if (!strcmp(occupy, "genl"))
		genl_unregister_family(&hinder_genl);
	else
		rtnl_link_unregister(&hinder_link);
}

module_init(hinder_init);
module_exit(hinder_exit);

MODULE_DESCRIPTION("Gets in the way of another module's loading, for tests");
MODULE_LICENSE("GPL");
