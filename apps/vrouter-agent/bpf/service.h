/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VROUTER_SERVICE_H
#define VROUTER_SERVICE_H

/* From a service's address and port to a backend's. */
#include "work.h"

static __always_inline struct service *find_service(__u32 vrf, __be32 address, __u8 protocol,
						    __be16 port)
{
	struct service_key_v4 key = {
		.vrf = vrf, .address = address, .port = port, .protocol = protocol};

	return bpf_map_lookup_elem(&services_v4, &key);
}

/*
 * A service that clients at the node's addresses may use: hostPorts and external addresses. 0.0.0.0
 * means every address of the node; on the uplink that is the node address, because the node may also
 * be a router between others.
 */
static __always_inline struct service *find_node_service(const struct globals *g,
							  const struct packet *p, enum hook hook)
{
	struct service *service = find_service(g->fabric_vrf, p->dst, p->protocol, p->dport);

	if (service && service->flags & (SERVICE_HOST_PORT | SERVICE_EXTERNAL))
		return service;
	if (hook == HOOK_UPLINK && p->dst != g->node_address)
		return 0;
	service = find_service(g->fabric_vrf, 0, p->protocol, p->dport);
	if (service && service->flags & SERVICE_HOST_PORT)
		return service;
	return 0;
}

static __always_inline struct backend *get_backend(__u32 service, __u32 slot)
{
	struct backend_key key = {.service = service, .slot = slot};

	return bpf_map_lookup_elem(&backends, &key);
}

/* With affinity a client keeps its slot while the slot keeps its backend. */
static __always_inline struct backend *choose_backend(const struct service *service,
						      const struct work *w)
{
	__u32 slot = hash_tuple(&w->p) % service->slot_count;
	struct affinity_key_v4 key = {
		.service = service->id, .client = w->p.src, .vrf = w->sender_vrf};
	struct affinity fresh = {};
	struct affinity *kept;
	struct backend *backend;
	__be32 address;

	if (!service->affinity_timeout_s)
		return get_backend(service->id, slot);
	fresh.last_s = bpf_ktime_get_ns() / 1000000000;
	kept = bpf_map_lookup_elem(&affinities_v4, &key);
	if (kept && fresh.last_s - kept->last_s < service->affinity_timeout_s &&
	    kept->slot < service->slot_count) {
		backend = get_backend(service->id, kept->slot);
		if (backend) {
			__builtin_memcpy(&address, backend->address, 4);
			if (address == kept->address) {
				kept->last_s = fresh.last_s;
				return backend;
			}
		}
	}
	backend = get_backend(service->id, slot);
	if (backend) {
		fresh.slot = slot;
		__builtin_memcpy(&fresh.address, backend->address, 4);
		bpf_map_update_elem(&affinities_v4, &key, &fresh, BPF_ANY);
	}
	return backend;
}

static __always_inline int is_in_source_range(__u32 service, __be32 client)
{
	struct source_range_key_v4 key = {
		.prefixlen = 64, .service = service, .address = client};

	return bpf_map_lookup_elem(&source_ranges_v4, &key) != 0;
}

/* Puts the chosen backend into `to`. */
static __noinline int translate_service(struct work *w, const struct service *service)
{
	struct backend *backend;

	if (service->flags & SERVICE_SOURCE_RANGES && !is_in_source_range(service->id, w->p.src))
		return DROP_SOURCE_RANGE;
	if (!service->slot_count)
		return STEP_REFUSE;
	backend = choose_backend(service, w);
	if (!backend || backend->address_length != 4)
		return DROP_BACKEND;
	__builtin_memcpy(&w->to.dst, backend->address, 4);
	w->to.dport = backend->port;
	w->to_vrf = backend->vrf;
	w->service = service->id;
	w->slot_count = service->slot_count;
	if (service->affinity_timeout_s || service->flags & SERVICE_SOURCE_RANGES ||
	    service->slot_count > 0xffff)
		w->is_tuple_bound = 1;
	return STEP_OK;
}

/* A packet from a pod or the node: its destination may be a service of its VRF. */
static __noinline int resolve_service(struct work *w)
{
	struct service *service = 0;

	if (w->p.protocol == IPPROTO_TCP || w->p.protocol == IPPROTO_UDP)
		service = find_service(w->vrf, w->p.dst, w->p.protocol, w->p.dport);
	w->is_to_service = service != 0;
	if (service)
		return translate_service(w, service);
	if (find_service(w->vrf, w->p.dst, 0, 0))
		return DROP_SERVICE_PORT;
	return STEP_OK;
}

#endif
