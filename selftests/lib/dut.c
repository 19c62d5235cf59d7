// SPDX-License-Identifier: GPL-2.0-only
/* The device under test: see dut.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/ferry.h>
#include <linux/if_link.h>
#include <linux/if_macsec.h>
#include <linux/rtnetlink.h>

#include "dut.h"
#include "net.h"
#include "talk.h"

#define FAR(end)	(3 - (end))
#define VXLAN_PORT	4789

/* An address of an end's, of those that begin so. */
static const unsigned char *addr_of(unsigned char *addr, int series, int end)
{
	const unsigned char bytes[FERRY_ALEN] = { 2, 0, 0, 0, series, end };

	return memcpy(addr, bytes, FERRY_ALEN);
}

int dut_renamed(int end)
{
	(void)end;
	return link_down("low") ?: link_rename("low", "dut");
}

int dut_bridge(int end)
{
	unsigned char addr[FERRY_ALEN];
	struct link_spec dut = {
		.kind = "bridge", .name = "dut", .addr = addr_of(addr, 7, end),
	};

	return link_add(&dut) ?: link_join("low", "dut");
}

int dut_bond(int end)
{
	static const __u8 active_backup = 1;
	static const __u32 miimon_ms = 10;
	static const struct link_attr attrs[] = {
		{ IFLA_BOND_MODE, sizeof(active_backup), &active_backup },
		{ IFLA_BOND_MIIMON, sizeof(miimon_ms), &miimon_ms },
		{ },
	};
	struct link_spec dut = { .kind = "bond", .name = "dut", .attrs = attrs };

	(void)end;
	return link_add(&dut) ?: link_down("low") ?: link_join("low", "dut");
}

static int on_low(const char *kind, const struct link_attr *attrs)
{
	struct link_spec dut = {
		.kind = kind, .name = "dut", .lower = "low", .attrs = attrs,
	};

	return link_add(&dut);
}

int dut_vlan(int end)
{
	static const __u16 id = 5;
	static const struct link_attr attrs[] = {
		{ IFLA_VLAN_ID, sizeof(id), &id },
		{ },
	};

	(void)end;
	return on_low("vlan", attrs);
}

int dut_macvlan(int end)
{
	static const __u32 mode = MACVLAN_MODE_BRIDGE;
	static const struct link_attr attrs[] = {
		{ IFLA_MACVLAN_MODE, sizeof(mode), &mode },
		{ },
	};

	(void)end;
	return on_low("macvlan", attrs);
}

static int set_ipv4(const char *name, __be32 addr)
{
	const struct ifaddrmsg ifa = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = 24,
		.ifa_index = link_index(name),
	};
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = talk_begin(buf, RTM_NEWADDR, NLM_F_CREATE, &ifa,
					  sizeof(ifa));

	mnl_attr_put_u32(nlh, IFA_LOCAL, addr);
	mnl_attr_put_u32(nlh, IFA_ADDRESS, addr);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int dut_vxlan(int end)
{
	__be32 own = htonl(0x0a070000 + end), far = htonl(0x0a070000 + FAR(end));
	__u32 id = 7, low = link_index("low");
	__be16 port = htons(VXLAN_PORT);
	const struct link_attr attrs[] = {
		{ IFLA_VXLAN_ID, sizeof(id), &id },
		{ IFLA_VXLAN_PORT, sizeof(port), &port },
		{ IFLA_VXLAN_LINK, sizeof(low), &low },
		{ IFLA_VXLAN_LOCAL, sizeof(own), &own },
		{ IFLA_VXLAN_GROUP, sizeof(far), &far },
		{ },
	};
	struct link_spec dut = { .kind = "vxlan", .name = "dut", .attrs = attrs };

	return set_ipv4("low", own) ?: link_add(&dut);
}

/* Who sends: his address, and the number of his only channel. */
static void put_sender(struct nlmsghdr *nlh, const unsigned char *addr)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, MACSEC_ATTR_RXSC_CONFIG);
	unsigned char sci[8] = { [7] = 1 };

	memcpy(sci, addr, FERRY_ALEN);
	mnl_attr_put(nlh, MACSEC_RXSC_ATTR_SCI, sizeof(sci), sci);
	mnl_attr_nest_end(nlh, nest);
}

/* What an end encrypts by. */
static void put_key(struct nlmsghdr *nlh, int end)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, MACSEC_ATTR_SA_CONFIG);
	unsigned char id[MACSEC_KEYID_LEN] = { end }, key[16];

	memset(key, 0x5a + end, sizeof(key));
	mnl_attr_put_u8(nlh, MACSEC_SA_ATTR_AN, 0);
	mnl_attr_put_u8(nlh, MACSEC_SA_ATTR_ACTIVE, 1);
	mnl_attr_put_u32(nlh, MACSEC_SA_ATTR_PN, 1);
	mnl_attr_put(nlh, MACSEC_SA_ATTR_KEYID, sizeof(id), id);
	mnl_attr_put(nlh, MACSEC_SA_ATTR_KEY, sizeof(key), key);
	mnl_attr_nest_end(nlh, nest);
}

/* @sender: NULL for this end; @key: the end whose key it is, or 0 for none */
static int macsec_add(int cmd, const unsigned char *sender, int key)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct talk_family family;
	struct nlmsghdr *nlh;
	int err = talk_family(MACSEC_GENL_NAME, &family);

	if (err)
		return err;
	nlh = talk_genl(buf, family.id, cmd, MACSEC_GENL_VERSION);
	mnl_attr_put_u32(nlh, MACSEC_ATTR_IFINDEX, link_index("dut"));
	if (sender)
		put_sender(nlh, sender);
	if (key)
		put_key(nlh, key);
	return talk(NETLINK_GENERIC, nlh, NULL, NULL);
}

int dut_macsec(int end)
{
	static const __u8 encrypt = 1;
	static const struct link_attr attrs[] = {
		{ IFLA_MACSEC_ENCRYPT, sizeof(encrypt), &encrypt },
		{ },
	};
	unsigned char own[FERRY_ALEN], far[FERRY_ALEN];
	int err;

	addr_of(own, 8, end);
	addr_of(far, 8, FAR(end));
	err = link_set_address("low", own) ?: on_low("macsec", attrs);
	err = err ?: macsec_add(MACSEC_CMD_ADD_TXSA, NULL, end);
	err = err ?: macsec_add(MACSEC_CMD_ADD_RXSC, far, 0);
	return err ?: macsec_add(MACSEC_CMD_ADD_RXSA, far, FAR(end));
}
