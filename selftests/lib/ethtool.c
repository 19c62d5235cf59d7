// SPDX-License-Identifier: GPL-2.0-only
/* What ethtool(8) sets: see ethtool.h. */
#include <errno.h>
#include <fnmatch.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "ethtool.h"

/* A device has fewer features than so many. */
#define FEATURES	128

static int ethtool(const char *name, void *request)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_data = request };
	int err;

	if (fd < 0)
		return -errno;
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	err = ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static bool listed(const char *patterns, const char *feature)
{
	char list[256], *pattern, *save;

	snprintf(list, sizeof(list), "%s", patterns);
	for (pattern = strtok_r(list, " ", &save); pattern;
	     pattern = strtok_r(NULL, " ", &save))
		if (!fnmatch(pattern, feature, 0))
			return true;
	return false;
}

int link_features(const char *name, const char *on, const char *off)
{
	static struct {
		struct ethtool_gstrings head;
		char names[FEATURES][ETH_GSTRING_LEN];
	} strings;
	struct {
		struct ethtool_sfeatures head;
		struct ethtool_set_features_block block[FEATURES / 32];
	} set = { { ETHTOOL_SFEATURES } };
	struct {
		struct ethtool_gfeatures head;
		struct ethtool_get_features_block block[FEATURES / 32];
	} now = { { ETHTOOL_GFEATURES } };
	bool found = false;
	int i, err;

	strings.head = (struct ethtool_gstrings){
		.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES,
	};
	err = ethtool(name, &strings);
	if (err)
		return err;
	for (i = 0; i < (int)strings.head.len; i++) {
		bool wanted = listed(on, strings.names[i]);

		if (!wanted && !listed(off, strings.names[i]))
			continue;
		found = true;
		set.block[i / 32].valid |= 1U << i % 32;
		set.block[i / 32].requested |= wanted ? 1U << i % 32 : 0;
	}
	if (!found)
		return -ENOENT;
	set.head.size = (strings.head.len + 31) / 32;
	now.head.size = set.head.size;
	err = ethtool(name, &set) ?: ethtool(name, &now);
	for (i = 0; !err && i < (int)set.head.size; i++)
		if ((now.block[i].active ^ set.block[i].requested) &
		    set.block[i].valid)
			err = -EOPNOTSUPP;
	return err;
}

int link_feature(const char *name, const char *feature, bool on)
{
	return link_features(name, on ? feature : "", on ? "" : feature);
}

int link_coalesce(const char *name, unsigned int usecs, unsigned int frames)
{
	struct ethtool_coalesce coalesce = { .cmd = ETHTOOL_GCOALESCE };
	int err = ethtool(name, &coalesce);

	coalesce.cmd = ETHTOOL_SCOALESCE;
	coalesce.use_adaptive_rx_coalesce = 0;
	coalesce.rx_coalesce_usecs = usecs;
	coalesce.rx_max_coalesced_frames = frames;
	return err ?: ethtool(name, &coalesce);
}
