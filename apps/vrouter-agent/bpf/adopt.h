/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_ADOPT_H
#define VROUTER_ADOPT_H

/*
 * Flows that programs of another layout made. The agent puts their map into `other_flows` before it
 * attaches these programs, and says in `converter` how their records become ours. A record is copied
 * when a packet misses it here: the other's programs may still use theirs. The agent moves the rest
 * when they are gone, and takes the map away.
 */
#include "flow.h"

#define OTHER_KEY_MAX 64
#define OTHER_VALUE_MAX 256

/* Written by the agent before the programs are loaded; 0xffff: the byte is 0. */
struct converter {
	__u16 key_size;   /* bytes of the other layout's key */
	__u16 value_size; /* and value */
	__u16 key_from[OTHER_KEY_MAX];     /* byte of our key for each of theirs */
	__u16 value_from[OTHER_VALUE_MAX]; /* byte of their value for each of ours */
};
_Static_assert(sizeof(struct flow_key_v4) <= OTHER_KEY_MAX, "key");
_Static_assert(sizeof(struct flow_value_v4) <= OTHER_VALUE_MAX, "value");

const volatile struct converter converter SEC(".rodata.converter") = {};

/* The agent sets the sizes of the inner map to those of the map that it puts there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(struct flow_key_v4));
		__uint(value_size, sizeof(struct flow_value_v4));
	});
} other_flows SEC(".maps");

struct adoption {
	struct flow_key_v4 key;
	__u8 other_key[OTHER_KEY_MAX];
	struct flow_value_v4 value;
};
TABLE(adoption_scratch, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct adoption, 1, 0);

static __always_inline void *get_other_flows(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&other_flows, &zero);
}

/* Copies the record under adoption->key. 1: it was there. */
static __always_inline int copy_record(void *other, struct adoption *adoption)
{
	__u8 *own_key = (__u8 *)&adoption->key;
	__u8 *own_value = (__u8 *)&adoption->value;
	__u8 *found;
	__u32 i;

	for (i = 0; i < OTHER_KEY_MAX; i++) {
		__u32 from = converter.key_from[i];
		adoption->other_key[i] = from < sizeof(adoption->key) ? own_key[from] : 0;
	}
	found = bpf_map_lookup_elem(other, adoption->other_key);
	if (!found)
		return 0;
	for (i = 0; i < sizeof(adoption->value); i++) {
		__u32 from = converter.value_from[i];
		own_value[i] = from < converter.value_size ? found[from] : 0;
	}
	if (!is_live(&adoption->value))
		return 0;
	/* Another CPU may have been first. */
	bpf_map_update_elem(&flows_v4, &adoption->key, &adoption->value, BPF_NOEXIST);
	return 1;
}

/* Global, so that the verifier looks at it once. Takes its argument from the map `adoption_scratch`. */
__noinline int adopt(void)
{
	__u32 zero = 0;
	struct adoption *adoption = bpf_map_lookup_elem(&adoption_scratch, &zero);
	void *other = get_other_flows();
	struct flow_key_v4 own;
	struct flow_key_v4 peer;

	if (!adoption || !other || !copy_record(other, adoption))
		return 0;
	own = adoption->key;
	if (!peer_key(&own, &adoption->value, &peer))
		return 1;
	adoption->key = peer;
	copy_record(other, adoption);
	return 1;
}

/* The record of the key, wherever it is. For the slow path. */
static __always_inline struct flow_value_v4 *find_flow(const struct flow_key_v4 *key)
{
	struct flow_value_v4 *value = bpf_map_lookup_elem(&flows_v4, key);
	struct adoption *adoption;
	__u32 zero = 0;

	if (value || !get_other_flows())
		return value;
	adoption = bpf_map_lookup_elem(&adoption_scratch, &zero);
	if (!adoption)
		return 0;
	adoption->key = *key;
	adopt();
	return bpf_map_lookup_elem(&flows_v4, key);
}

#endif
