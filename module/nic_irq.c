// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card's interrupt lines. See nic_irq.h.
 *
 * One irq domain holds the lines of all cards. A line is edge-triggered, as a
 * card's message-signalled interrupt is: when it is raised while its handler
 * runs on another CPU, the irq core remembers, and runs the handler again.
 * (handle_simple_irq() would forget it.)
 */
#include <linux/idr.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>

#include "nic_irq.h"

static struct fwnode_handle *ferry_nic_irq_fwnode;
static struct irq_domain *ferry_nic_irq_domain;
static DEFINE_IDA(ferry_nic_irq_lines);

/* The mask that matters is the card's own, see struct ferry_nic_rxq. */
static void ferry_nic_irq_nop(struct irq_data *data)
{
}

static struct irq_chip ferry_nic_irq_chip = {
	.name		= "ferry",
	.irq_ack	= ferry_nic_irq_nop,
	.irq_mask	= ferry_nic_irq_nop,
	.irq_unmask	= ferry_nic_irq_nop,
};

static int ferry_nic_irq_map(struct irq_domain *domain, unsigned int irq,
			     irq_hw_number_t line)
{
	irq_set_chip_and_handler_name(irq, &ferry_nic_irq_chip,
				      handle_edge_irq, "edge");
	return 0;
}

static const struct irq_domain_ops ferry_nic_irq_domain_ops = {
	.map = ferry_nic_irq_map,
};

static void ferry_nic_irq_unmap(unsigned int irq)
{
	irq_hw_number_t line = irqd_to_hwirq(irq_get_irq_data(irq));

	irq_dispose_mapping(irq);
	ida_free(&ferry_nic_irq_lines, line);
}

/**
 * ferry_nic_irq_request() - get a line and a handler for it
 * @handler: called with interrupts off when the line is raised
 * @name: name in /proc/interrupts; has to live as long as the line
 * @data: passed to @handler
 *
 * Context: process, may sleep.
 * Return: the irq number, or -ENOMEM: also when there is none left, for the core does
 * not say why there is none.
 */
int ferry_nic_irq_request(irq_handler_t handler, const char *name, void *data)
{
	unsigned int irq;
	int line, err;

	line = ida_alloc(&ferry_nic_irq_lines, GFP_KERNEL);
	if (line < 0)
		return line;

	irq = irq_create_mapping(ferry_nic_irq_domain, line);
	if (!irq) {
		ida_free(&ferry_nic_irq_lines, line);
		return -ENOMEM;
	}

	/* The handler is short, and a line of software never wakes a machine. */
	err = request_irq(irq, handler, IRQF_NO_THREAD | IRQF_NO_SUSPEND, name,
			  data);
	if (err) {
		ferry_nic_irq_unmap(irq);
		return err;
	}
	return irq;
}

/**
 * ferry_nic_irq_free() - give a line back
 * @irq: what ferry_nic_irq_request() returned
 * @data: what it was given
 *
 * The caller has seen to it that nobody raises the line any more.
 *
 * Context: process, may sleep: waits for the handler.
 */
void ferry_nic_irq_free(int irq, void *data)
{
	free_irq(irq, data);
	ferry_nic_irq_unmap(irq);
}

/**
 * ferry_nic_irq_raise() - interrupt
 * @irq: what ferry_nic_irq_request() returned
 *
 * The handler runs before this returns, on this CPU, unless it runs on another
 * one just now, which then runs it once more.
 *
 * Context: any but process context with softirqs on: the handler schedules
 * NAPI, which the end of the caller's interrupt or softirq section then runs.
 */
void ferry_nic_irq_raise(int irq)
{
	generic_handle_irq_safe(irq);
}

/**
 * ferry_nic_irq_init() - make the irq domain
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ferry_nic_irq_init(void)
{
	ferry_nic_irq_fwnode = irq_domain_alloc_named_fwnode("ferry");
	if (!ferry_nic_irq_fwnode)
		return -ENOMEM;

	ferry_nic_irq_domain = irq_domain_create_tree(ferry_nic_irq_fwnode,
						      &ferry_nic_irq_domain_ops,
						      NULL);
	if (!ferry_nic_irq_domain) {
		irq_domain_free_fwnode(ferry_nic_irq_fwnode);
		return -ENOMEM;
	}
	return 0;
}

/**
 * ferry_nic_irq_exit() - remove the irq domain; all lines have been given back
 *
 * Context: process, may sleep.
 */
void ferry_nic_irq_exit(void)
{
	irq_domain_remove(ferry_nic_irq_domain);
	irq_domain_free_fwnode(ferry_nic_irq_fwnode);
	ida_destroy(&ferry_nic_irq_lines);
}
