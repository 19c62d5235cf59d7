# SPDX-License-Identifier: GPL-2.0-only
# What a stable update may bring to a kernel without a version that tells: to be
# looked for in its headers, for compat.h.

# ferry-probe HEADER,WORD,MACRO: define MACRO if HEADER has WORD
ferry-probe = $(shell grep -qw $(2) $(srctree)/include/$(1) && echo -D$(3))

ccflags-y += $(call ferry-probe,linux/netdevice.h,netns_immutable,FERRY_HAS_NETNS_IMMUTABLE)
ccflags-y += $(call ferry-probe,linux/slab.h,kmem_cache_charge,FERRY_HAS_KMEM_CACHE_CHARGE)
ccflags-y += $(call ferry-probe,linux/net.h,sendpage,FERRY_HAS_SENDPAGE)
ccflags-y += $(call ferry-probe,linux/net.h,splice_eof,FERRY_HAS_SPLICE_EOF)
ccflags-y += $(call ferry-probe,linux/fs.h,copy_splice_read,FERRY_HAS_COPY_SPLICE_READ)
ccflags-y += $(call ferry-probe,linux/net.h,SOCK_CUSTOM_SOCKOPT,FERRY_HAS_CUSTOM_SOCKOPT)
