// SPDX-License-Identifier: GPL-2.0-only
/* Two devices on one wire: see wire.h. */
#include <string.h>

#include "net.h"
#include "wire.h"

/* Raise one end of the wire, in its namespace. */
static int wire_end(int net, const char *name, bool enable,
		    unsigned char *addr)
{
	int err = net_enter(net);

	if (!err)
		err = link_up(name);
	if (!err)
		err = link_address(name, addr);
	if (!err && enable)
		err = ferry_enable(name);
	return err;
}

static int wire_make(struct wire *wire, const char *kind)
{
	struct link_spec pair = {
		.kind = kind, .name = "fy0", .peer = "fy1",
		.peer_net = wire->blue,
	};
	bool enable = strcmp(kind, "ferry");
	int err = link_add(&pair);

	if (!err)
		err = wire_end(wire->blue, "fy1", enable, wire->fy1);
	if (!err)
		err = wire_end(wire->red, "fy0", enable, wire->fy0);
	/* fy0 was ready when it came up: it found fy1 up already. */
	if (!err)
		err = net_enter(wire->blue);
	if (!err)
		err = link_ready("fy1");
	if (!err)
		err = net_enter(wire->red);
	return err;
}

int wire_across(struct wire *wire, const char *kind)
{
	wire->blue = net_new();
	wire->red = net_new();
	if (wire->blue < 0 || wire->red < 0)
		return wire->blue < 0 ? wire->blue : wire->red;
	return wire_make(wire, kind);
}

int wire_inside(struct wire *wire, const char *kind)
{
	wire->red = net_new();
	wire->blue = wire->red;
	return wire->red < 0 ? wire->red : wire_make(wire, kind);
}
