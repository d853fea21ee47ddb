/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_MAPS_H
#define VROUTER_MAPS_H

/* Every map. The agent pins each by its name and reuses it when it starts again. */
#include <bpf/bpf_helpers.h>

#include "drop_reasons.h"
#include "flow_layout.h"

#define TABLE(map, map_type, key_type, value_type, entries, creation_flags) \
	struct { \
		__uint(type, map_type);                                                             \
		__type(key, key_type);                                                              \
		__type(value, value_type);                                                          \
		__uint(max_entries, entries);                                                       \
		__uint(map_flags, creation_flags);                                                       \
	} map SEC(".maps")
#define HASH(map, key_type, value_type, entries)                                                    \
	TABLE(map, BPF_MAP_TYPE_HASH, key_type, value_type, entries, BPF_F_NO_PREALLOC)
#define TRIE(map, key_type, value_type, entries)                                                    \
	TABLE(map, BPF_MAP_TYPE_LPM_TRIE, key_type, value_type, entries, BPF_F_NO_PREALLOC)

/*
 * A hash costs 16 bytes for each possible entry at once (host_routes_v4 4 MB), a trie nothing. The
 * tables of IPv6 stay small until dual stack is built.
 */
HASH(vifs, struct vif_key, struct vif, 16384);
TRIE(sources_v4, struct source_key_v4, __u32, 65536);
TRIE(sources_v6, struct source_key_v6, __u32, 4096);
HASH(host_routes_v4, struct host_route_key_v4, struct route, 262144);
HASH(host_routes_v6, struct host_route_key_v6, struct route, 4096);
TRIE(prefix_routes_v4, struct prefix_route_key_v4, struct route, 65536);
TRIE(prefix_routes_v6, struct prefix_route_key_v6, struct route, 4096);
HASH(next_hops, __u32, struct next_hop, 131072);
HASH(composites, struct composite_key, struct route, 131072);
HASH(labels_in, __u32, struct label_in, 131072);
HASH(labels_out, struct label_out_key, __u32, 131072);
HASH(services_v4, struct service_key_v4, struct service, 131072);
HASH(services_v6, struct service_key_v6, struct service, 4096);
HASH(backends, struct backend_key, struct backend, 524288);
TRIE(source_ranges_v4, struct source_range_key_v4, __u32, 65536);
TRIE(source_ranges_v6, struct source_range_key_v6, __u32, 4096);
HASH(nodes_v4, struct node_key_v4, struct node, 16384);
HASH(nodes_v6, struct node_key_v6, struct node, 4096);
TRIE(policies, struct policy_key, struct policy_verdict, 1048576);
HASH(vrfs, __u32, struct vrf, 16384);

/* Preallocated: insertion of a pair in under a microsecond. The agent may set another size. */
TABLE(flows_v4, BPF_MAP_TYPE_HASH, struct flow_key_v4, struct flow_value_v4, 262144, 0);
HASH(flows_v6, struct flow_key_v6, struct flow_value_v6, 1024);
TABLE(affinities_v4, BPF_MAP_TYPE_LRU_HASH, struct affinity_key_v4, struct affinity, 65536, 0);

/* The least recently used goes when all are taken: 256 senders with all their places in use. */
TABLE(fragments_v4, BPF_MAP_TYPE_LRU_HASH, struct fragment_key_v4, struct fragment_v4, 32768, 0);
TABLE(answer_windows, BPF_MAP_TYPE_LRU_HASH, __u32, struct answer_window, 4096, 0);
HASH(usages, struct owner, struct usage, 16384);

TABLE(globals, BPF_MAP_TYPE_ARRAY, __u32, struct globals, 1, 0);
TABLE(drop_counts, BPF_MAP_TYPE_PERCPU_HASH, struct drop_key, struct drop_count, 16384, 0);
TABLE(drop_windows, BPF_MAP_TYPE_ARRAY, __u32, struct drop_window, 256, 0);
TABLE(sweep_command, BPF_MAP_TYPE_ARRAY, __u32, struct sweep, 1, 0);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} drop_events SEC(".maps");

#endif
