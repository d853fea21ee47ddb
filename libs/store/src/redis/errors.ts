import { ContrailError, errorText } from '@contrail/errors';

interface Remedy {
  readonly when: RegExp;
  readonly cause: string;
  readonly remedy: string;
}

/** What Redis says, and what an operator can do about it. */
const remedies: readonly Remedy[] = [
  {
    when: /^(WRONGPASS|NOAUTH)|invalid password|unauthenticated/i,
    cause: 'refuses the user name or password',
    remedy: 'correct REDIS_USER and the Secret behind REDIS_PASSWORD_FILE',
  },
  {
    when: /^NOPERM/,
    cause: 'does not allow the user this command or key',
    remedy: 'give the user the keys and commands of its service, as k8s/README.md says',
  },
  {
    when: /^MISCONF|No space left on device/i,
    cause: 'cannot write to its disk and refuses changes',
    remedy: 'free space on the volume of Redis or enlarge it',
  },
  {
    when: /^OOM/,
    cause: 'is out of memory and refuses changes',
    remedy: 'raise maxmemory and the memory limit of the Redis pod',
  },
  {
    when: /^(NOREPLICAS|READONLY|MASTERDOWN|CLUSTERDOWN)/,
    cause: 'cannot accept changes now (no replica, or not the primary)',
    remedy: 'restore the replica or wait for the failover',
  },
  { when: /^LOADING/, cause: 'is loading its data', remedy: 'wait until it is ready' },
  {
    when: /^BUSY/,
    cause: 'is busy with a long script',
    remedy: 'wait; restart Redis if it does not end',
  },
  {
    when: /ENOENT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN/,
    cause: 'cannot be reached',
    // With `appendfsync always` Redis ends itself when it cannot write.
    remedy:
      'check that REDIS_URL names it, and the state and log of the Redis pod: it ends when its disk is full',
  },
  {
    when: /certificate|CERT_|self.signed|wrong version number|ssl|tls/i,
    cause: 'cannot be reached by TLS',
    remedy: "check the scheme of REDIS_URL, TLS_CA_FILE and the server's certificate",
  },
  {
    when: /socket|closed|ECONNRESET|EPIPE|timeout|offline|disconnect/i,
    cause: 'lost the connection',
    remedy:
      'it is made again by itself; if not, check the Redis pod and its log: it ends when its disk is full',
  },
];

/**
 * The error of the product for anything that a Redis client throws: UNAVAILABLE when Redis or the way to
 * it is at fault, INTERNAL when a command of ours is.
 */
export function toStoreError(error: unknown, server: string): ContrailError {
  if (error instanceof ContrailError) return error;
  const text = textOf(error);
  const known = remedies.find(({ when }) => when.test(text));
  if (known === undefined) {
    return new ContrailError('INTERNAL', `Redis ${server}: a command failed: ${text}`, {
      cause: error,
    });
  }
  return new ContrailError(
    'UNAVAILABLE',
    `Redis ${server}: ${known.cause} (${text}); ${known.remedy}`,
    {
      cause: error,
    },
  );
}

/** True when the server does not know our functions: it was emptied, or never saw this version. */
export function isFunctionMissing(error: unknown): boolean {
  return error instanceof Error && /Function not found/i.test(error.message);
}

/** True when another process loaded the same library first. */
export function isLibraryPresent(error: unknown): boolean {
  return error instanceof Error && /already exists/i.test(error.message);
}

function textOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const text = errorText(error);
  return text.includes(code) ? text : `${code} ${text}`;
}
