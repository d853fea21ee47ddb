import { counter, gauge } from '@contrail/telemetry';

export const itemsServed = counter(
  'contrail_ipam_items_total',
  'Items of requests by method and outcome (a gRPC code).',
  ['method', 'code'],
);
export const subnetCapacity = gauge(
  'contrail_ipam_subnet_capacity_addresses',
  'Addresses that a subnet has.',
  ['subnet', 'prefix', 'owner'],
);
export const subnetAllocated = gauge(
  'contrail_ipam_subnet_allocated_addresses',
  'Addresses that are held.',
  ['subnet', 'prefix', 'owner'],
);
export const subnetQuarantined = gauge(
  'contrail_ipam_subnet_quarantined_addresses',
  'Addresses released a short while ago.',
  ['subnet', 'prefix', 'owner'],
);
export const subnetUsage = gauge(
  'contrail_ipam_subnet_usage_ratio',
  'Held addresses by capacity, 0 to 1.',
  ['subnet', 'prefix', 'owner'],
);
export const starvedNetworks = gauge(
  'contrail_ipam_starved_networks_count',
  'Networks that had no address for somebody in the last two minutes.',
);
export const reclaimedAddresses = counter(
  'contrail_ipam_reclaimed_addresses_total',
  'Addresses taken back because their owner is gone.',
);
