/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The card's interrupt lines: real ones to the kernel's irq core, with a
 * number, a name in /proc/interrupts and a count for each CPU.
 */
#ifndef _FERRY_NIC_IRQ_H
#define _FERRY_NIC_IRQ_H

#include <linux/interrupt.h>

int ferry_nic_irq_init(void);
void ferry_nic_irq_exit(void);

int ferry_nic_irq_request(irq_handler_t handler, const char *name, void *data);
void ferry_nic_irq_free(int irq, void *data);
void ferry_nic_irq_raise(int irq);

#endif /* _FERRY_NIC_IRQ_H */
