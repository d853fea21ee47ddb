/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_DROP_H
#define VROUTER_DROP_H

/* The one way to drop: counted by reason and VRF, sampled as an event. */
#include <linux/pkt_cls.h>

#include "maps.h"
#include "parse.h"

/* Events of one reason in a second; the counters always count. */
#define DROP_EVENTS_PER_SECOND 10

struct drop_detail {
	const struct packet *packet; /* 0: the frame was not parsed */
	__u32 reason;
	__u32 vrf;  /* 0: not known yet */
	__u32 rule; /* 0: none */
};

static __always_inline int may_report(__u32 reason, __u64 now)
{
	struct drop_window *window = bpf_map_lookup_elem(&drop_windows, &reason);
	__u64 second = now / 1000000000;

	if (!window)
		return 0;
	if (window->second != second) {
		window->second = second;
		window->events = 0;
	}
	return __sync_fetch_and_add(&window->events, 1) < DROP_EVENTS_PER_SECOND;
}

static __noinline void fill_event(struct drop_event *event, const struct drop_detail *detail)
{
	const struct packet *packet = detail->packet;

	event->reason = detail->reason;
	event->vrf = detail->vrf;
	event->rule = detail->rule;
	if (!packet)
		return;
	__builtin_memcpy(event->source, &packet->src, 4);
	__builtin_memcpy(event->destination, &packet->dst, 4);
	event->source_port = packet->sport;
	event->destination_port = packet->dport;
	event->protocol = packet->protocol;
	event->address_length = 4;
}

static __noinline int report_drop(struct __sk_buff *skb, const struct drop_detail *detail)
{
	__u64 now = bpf_ktime_get_ns();
	struct drop_event *event;

	if (!may_report(detail->reason, now))
		return 0;
	event = bpf_ringbuf_reserve(&drop_events, sizeof(*event), 0);
	if (!event)
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = now;
	event->ifindex = skb->ifindex;
	fill_event(event, detail);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* Returns the verdict for the hook: the packet ends here. Out of the way of packets that go on. */
static __noinline int drop_rule(struct __sk_buff *skb, const struct packet *p, __u32 reason,
				     __u32 vrf, __u32 rule)
{
	struct drop_key key = {.reason = reason, .vrf = vrf};
	struct drop_detail detail = {.packet = p, .reason = reason, .vrf = vrf, .rule = rule};
	struct drop_count *count = bpf_map_lookup_elem(&drop_counts, &key);

	if (count) {
		count->packets += 1;
		count->bytes += skb->len;
	} else {
		struct drop_count first = {.packets = 1, .bytes = skb->len};
		bpf_map_update_elem(&drop_counts, &key, &first, BPF_ANY);
	}
	report_drop(skb, &detail);
	return TC_ACT_SHOT;
}

static __always_inline int drop(struct __sk_buff *skb, const struct packet *p, __u32 reason,
				__u32 vrf)
{
	return drop_rule(skb, p, reason, vrf, 0);
}

#endif
