/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For cppcheck, which does not read the kernel's headers: each loop's shape,
 * so that it knows which variable is set by which.
 */
#define LOOP(each)		for ((each) = next(); (each); (each) = next())

#define list_for_each_entry(each, ...)			LOOP(each)
#define list_for_each_entry_rcu(each, ...)		LOOP(each)
#define list_for_each_entry_safe(each, ...)		LOOP(each)
#define hlist_for_each_entry(each, ...)			LOOP(each)
#define hlist_for_each_entry_rcu(each, ...)		LOOP(each)
#define hlist_for_each_entry_safe(each, ...)		LOOP(each)
#define hlist_nulls_for_each_entry_rcu(each, ...)	LOOP(each)
#define sk_for_each(each, ...)				LOOP(each)
#define sk_for_each_rcu(each, ...)			LOOP(each)
#define sk_for_each_bound(each, ...)			LOOP(each)
#define sk_nulls_for_each_rcu(each, ...)		LOOP(each)
#define xa_for_each(array, index, each)			LOOP(each)
#define for_each_netdev(net, each)			LOOP(each)
#define for_each_possible_cpu(each)			LOOP(each)
#define skb_queue_walk(queue, each)			LOOP(each)
#define skb_walk_frags(skb, each)			LOOP(each)
