// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading: registrations in order, unwound in mirror order.
 */
#include <linux/module.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

#include "dgram.h"
#include "echo.h"
#include "flow.h"
#include "group.h"
#include "gso.h"
#include "input.h"
#include "limit.h"
#include "linger.h"
#include "listen.h"
#include "netlink.h"
#include "netns.h"
#include "nic.h"
#include "port.h"
#include "short.h"
#include "socket.h"
#include "sockstat.h"
#include "stream.h"
#include "sysctl.h"

unsigned int ferry_net_id;

/*
 * One step of making ready: a namespace's or the module's. A step that fails
 * has left nothing behind; those before it are undone, last first.
 */
struct ferry_net_step {
	int (*init)(struct ferry_net *fn);
	void (*exit)(struct ferry_net *fn);
};

static const struct ferry_net_step ferry_net_steps[] = {
	{ ferry_stats_net_init,		ferry_stats_net_exit },
	{ ferry_limit_net_init,		NULL },
	{ ferry_link_net_init,		ferry_link_net_exit },
	{ ferry_port_net_init,		ferry_port_net_exit },
	{ ferry_flow_net_init,		ferry_flow_net_exit },
	{ ferry_linger_net_init,	ferry_linger_net_exit },
	{ ferry_listen_net_init,	NULL },
	{ ferry_sockstat_net_init,	NULL },
	{ ferry_sysctl_net_init,	ferry_sysctl_net_exit },
};

static void ferry_net_unwind(struct ferry_net *fn, int steps)
{
	while (steps--)
		if (ferry_net_steps[steps].exit)
			ferry_net_steps[steps].exit(fn);
}

static int __net_init ferry_net_init(struct net *net)
{
	struct ferry_net *fn = ferry_net(net);
	int i, err;

	fn->net = net;
	for (i = 0; i < ARRAY_SIZE(ferry_net_steps); i++) {
		err = ferry_net_steps[i].init(fn);
		if (err) {
			ferry_net_unwind(fn, i);
			return err;
		}
	}
	return 0;
}

static void __net_exit ferry_net_exit(struct net *net)
{
	ferry_net_unwind(ferry_net(net), ARRAY_SIZE(ferry_net_steps));
}

/* A subsystem's, not a device's: so it goes after the namespace's devices. */
static struct pernet_operations ferry_net_ops = {
	.init = ferry_net_init,
	.exit = ferry_net_exit,
	.id = &ferry_net_id,
	.size = sizeof(struct ferry_net),
};

static int ferry_netns_init(void)
{
	return register_pernet_subsys(&ferry_net_ops);
}

static void ferry_netns_exit(void)
{
	unregister_pernet_subsys(&ferry_net_ops);
}

/* Datagram sockets and connections, each in their way. */
static void ferry_devices_lost(struct ferry_net *fn, int ifindex, u64 addr,
			       int err)
{
	ferry_port_lost(fn, ifindex, addr, err);
	ferry_stream_lost(fn, ifindex, addr, err);
}

static int ferry_devices_init(void)
{
	static const struct ferry_link_ops ops = {
		.rcv = ferry_input_rcv,
		.lost = ferry_devices_lost,
		.rerouted = ferry_stream_rerouted,
		.gone = ferry_group_gone,
		.event = ferry_netlink_event,
	};

	ferry_echo_init();
	return ferry_link_init(&ops);
}

static int ferry_short_way_init(void)
{
	return ferry_short_init(ferry_input_dispatch);
}

struct ferry_step {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
};

/* Sockets come last: with the first of them all else must be there. */
static const struct ferry_step ferry_steps[] = {
	{ "port space",		ferry_port_init,	ferry_port_exit },
	{ "requests",		ferry_listen_init,	ferry_listen_exit },
	{ "TIME_WAIT",		ferry_linger_init,	ferry_linger_exit },
	{ "namespaces",		ferry_netns_init,	ferry_netns_exit },
	{ "large segments",	ferry_gso_init,		ferry_gso_exit },
	{ "short way",		ferry_short_way_init,	ferry_short_exit },
	{ "links",		ferry_devices_init,	ferry_link_exit },
	{ "virtual card",	ferry_nic_init,		ferry_nic_exit },
	{ "netlink family",	ferry_netlink_init,	ferry_netlink_exit },
	{ "datagrams",		ferry_dgram_init,	ferry_dgram_exit },
	{ "streams",		ferry_stream_init,	ferry_stream_exit },
	{ "socket family",	ferry_socket_init,	ferry_socket_exit },
};

static void ferry_unwind(int steps)
{
	while (steps--)
		ferry_steps[steps].exit();
}

static int __init ferry_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(ferry_steps); i++) {
		err = ferry_steps[i].init();
		if (err) {
			pr_err("cannot set up the %s: error %d\n",
			       ferry_steps[i].name, err);
			ferry_unwind(i);
			/* init_module(2): -EEXIST is for a module loaded twice. */
			return err == -EEXIST ? -EBUSY : err;
		}
	}
	return 0;
}

static void __exit ferry_exit(void)
{
	ferry_unwind(ARRAY_SIZE(ferry_steps));
}

module_init(ferry_init);
module_exit(ferry_exit);

MODULE_DESCRIPTION("Ferry: streams, records and datagrams straight over Ethernet");
MODULE_LICENSE("GPL");
MODULE_ALIAS_NETPROTO(PF_FERRY);
MODULE_ALIAS_RTNL_LINK("ferry");
MODULE_ALIAS_GENL_FAMILY(FERRY_GENL_NAME);
