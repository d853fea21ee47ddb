/** Services whose certificates may call a method; an agent learns what it needs from control. */
export const readers = [
  'kube-manager',
  'control',
  'ipam',
  'dns',
  'service-monitor',
  'web-ui',
  'contrailctl',
] as const;

export const writers = ['kube-manager', 'web-ui', 'contrailctl'] as const;

/** Who derives things that need numbers. */
export const allotters = ['control', 'kube-manager'] as const;

/** Who hears the acknowledgements of nodes. */
export const progressReporters = ['control'] as const;

/** Who finds out what networks cannot be joined. */
export const conflictReporters = ['control'] as const;
