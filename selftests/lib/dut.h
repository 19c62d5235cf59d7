/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device under test, for tests: dut, which is made of the device low, or is that
 * itself, at both ends of a wire.
 */
#ifndef _FERRY_TEST_DUT_H
#define _FERRY_TEST_DUT_H

/*
 * Make dut in this namespace, at the end 1 or 2 of the wire. Return: 0 or a negative
 * errno.
 */
typedef int dut_make(int end);

dut_make dut_renamed, dut_bridge, dut_bond, dut_vlan, dut_macvlan, dut_vxlan, dut_macsec;

#endif
