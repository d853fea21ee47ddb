/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_KNOWN_COURSES_H
#define VROUTER_KNOWN_COURSES_H

/*
 * What the tables said of the last connections between local ends, and between those and others behind the tunnel:
 * remembered by each CPU by {sender, destination, port}, so that the next connection alike asks one place instead of
 * ten to fifteen tables. Good while the agent has changed none of them (globals.epoch) and policy is the same
 * (globals.generation). A service of several slots has a place that says so, and one for each slot.
 */
#include "work.h"

#define KNOWN_COURSE_BITS 10
/* In `from`: a label, not an interface. */
#define COURSE_FROM_TUNNEL 0x80000000

struct course_key {
	__u32 from; /* ifindex; label | COURSE_FROM_TUNNEL */
	__be32 node; /* that sends through the tunnel; of a slot: address of the service; else 0 */
	__be32 src;
	__u32 dst; /* of a slot: id of the service */
	__u16 dport; /* of a slot: its number */
	__u8 protocol;
	__u8 is_slot;
};

struct known_course {
	__u32 epoch; /* 0: empty */
	__u32 generation;
	struct course_key key;
	struct course course;
};

TABLE(known_courses, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct known_course, 1 << KNOWN_COURSE_BITS, 0);

/* False: packets like this one have no place. */
static __always_inline int set_course_key(struct course_key *key, const struct work *w)
{
	if (!w->epoch || w->is_answer ||
	    (w->p.protocol != IPPROTO_TCP && w->p.protocol != IPPROTO_UDP))
		return 0;
	*key = (struct course_key){.from = w->hook == HOOK_TUNNEL ? w->in_label | COURSE_FROM_TUNNEL : w->zone,
				.node = w->tunnel_remote,
				.src = w->p.src,
				.dst = w->p.dst,
				.dport = w->p.dport,
				.protocol = w->p.protocol};
	return 1;
}

static __always_inline void set_slot_key(struct course_key *key, const struct work *w,
					 const struct course *course)
{
	key->node = w->p.dst;
	key->dst = course->service;
	key->dport = hash_tuple(&w->p) % course->slot_count;
	key->is_slot = 1;
}

static __always_inline struct known_course *place_of(const struct course_key *key)
{
	__u32 hash = mix(mix(0x9e3779b9, key->from), key->src);
	__u32 index = mix(mix(hash, key->dst), key->dport | (__u32)key->protocol << 16) &
		      ((1 << KNOWN_COURSE_BITS) - 1);

	return bpf_map_lookup_elem(&known_courses, &index);
}

static __always_inline struct known_course *find_known_course(const struct course_key *key, const struct work *w)
{
	struct known_course *known = place_of(key);

	if (!known || known->epoch != w->epoch || known->generation != w->generation ||
	    known->key.from != key->from || known->key.node != key->node || known->key.src != key->src ||
	    known->key.dst != key->dst || known->key.dport != key->dport ||
	    known->key.protocol != key->protocol || known->key.is_slot != key->is_slot)
		return 0;
	return known;
}

/* 1: the course of the work is known. Precondition: the packet was parsed, its sender set. */
static __noinline int recall_course(struct work *w)
{
	struct course_key key;
	struct known_course *known;

	if (!set_course_key(&key, w))
		return 0;
	known = find_known_course(&key, w);
	if (known && known->course.slot_count > 1) {
		set_slot_key(&key, w, &known->course);
		known = find_known_course(&key, w);
	}
	if (!known)
		return 0;
	w->course = known->course;
	w->to.src = w->p.src;
	w->to.sport = w->p.sport;
	w->is_known = 1;
	return 1;
}

static __always_inline void remember(const struct course_key *key, const struct work *w, __u32 slot_count)
{
	struct known_course *known = place_of(key);

	if (!known)
		return;
	known->epoch = w->epoch;
	known->generation = w->generation;
	known->key = *key;
	known->course = w->course;
	known->course.slot_count = slot_count;
}

/* Precondition: resolved and judged, and the packet may pass. */
static __noinline void learn_course(const struct work *w)
{
	struct course_key key;

	if (w->is_tuple_bound || w->is_self || !set_course_key(&key, w) ||
	    (w->hook != HOOK_POD && w->hook != HOOK_TUNNEL) ||
	    (w->kind != NEXT_HOP_ENCAP && w->kind != NEXT_HOP_TUNNEL))
		return;
	remember(&key, w, w->slot_count);
	if (w->slot_count > 1) {
		set_slot_key(&key, w, &w->course);
		remember(&key, w, 0);
	}
}

#endif
