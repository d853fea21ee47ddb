import { mkdirSync, readFileSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ContrailError } from '@contrail/errors';
import { parseAddress, formatAddress } from '@contrail/net';
import { logger } from '@contrail/telemetry';
import type { DeviceHostPort } from '../oper/facts';
import type { AttachmentName } from './cni-request';

const log = logger('cni');

/** One interface that ADD made; kept in a file so that a restarted agent knows it. */
export interface Attachment extends AttachmentName {
  /** Name in the network configuration; GC of another network leaves it alone. */
  readonly network: string;
  readonly netns: string;
  readonly vmiUuid: string;
  /** "namespace/name"; empty when it is no pod. */
  readonly pod: string;
  readonly hostInterface: string;
  readonly mtu: number;
  readonly hostPorts: readonly DeviceHostPort[];
}

const fileSchema = z.object({
  containerId: z.string(),
  ifname: z.string(),
  network: z.string(),
  netns: z.string(),
  vmiUuid: z.string(),
  pod: z.string(),
  hostInterface: z.string(),
  mtu: z.number(),
  hostPorts: z.array(
    z.object({ protocol: z.number(), hostPort: z.number(), containerPort: z.number(), hostAddress: z.string() }),
  ),
});

/** Attachments of this node: in memory, and each in one small file. */
export class AttachmentStore {
  readonly #folder: string;
  readonly #byName = new Map<string, Attachment>();

  /** Reads what is there; a file that cannot be read is reported and left. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      try {
        const attachment = fromFile(readFileSync(path.join(folder, file), 'utf8'));
        this.#byName.set(nameText(attachment), attachment);
      } catch (error) {
        log.error('attachment file cannot be read', { file, error });
      }
    }
  }

  all(): Attachment[] {
    return [...this.#byName.values()];
  }

  find(name: AttachmentName): Attachment | undefined {
    return this.#byName.get(nameText(name));
  }

  findByVmi(vmiUuid: string): Attachment | undefined {
    for (const attachment of this.#byName.values()) if (attachment.vmiUuid === vmiUuid) return attachment;
    return undefined;
  }

  /** @throws ContrailError DATA_LOSS when the file cannot be written (a full disk). */
  put(attachment: Attachment): void {
    const file = this.#fileOf(attachment);
    const hostPorts = attachment.hostPorts.map((port) => ({
      ...port,
      hostAddress: port.hostAddress.length > 0 ? formatAddress(port.hostAddress) : '',
    }));
    try {
      writeFileSync(`${file}.new`, JSON.stringify({ ...attachment, hostPorts }), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch (cause) {
      throw new ContrailError('DATA_LOSS', `${file} cannot be written; is the disk full?`, { cause });
    }
    this.#byName.set(nameText(attachment), attachment);
  }

  /** Removing what is absent succeeds. */
  remove(name: AttachmentName): void {
    this.#byName.delete(nameText(name));
    try {
      unlinkSync(this.#fileOf(name));
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }

  #fileOf(name: AttachmentName): string {
    return path.join(this.#folder, `${attachmentHash(name)}.json`);
  }
}

/** Name of the node's end of the pair: "tap" and 12 digits, 15 characters, the kernel's limit. */
export function hostInterfaceName(name: AttachmentName): string {
  return `tap${attachmentHash(name).slice(0, 12)}`;
}

export function nameText(name: AttachmentName): string {
  return `${name.containerId}/${name.ifname}`;
}

function isAbsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

function attachmentHash(name: AttachmentName): string {
  return createHash('sha256').update(nameText(name)).digest('hex').slice(0, 32);
}

function fromFile(text: string): Attachment {
  const raw = fileSchema.parse(JSON.parse(text));
  const hostPorts = raw.hostPorts.map((port) => ({
    ...port,
    hostAddress: port.hostAddress === '' ? new Uint8Array(0) : parseAddress(port.hostAddress),
  }));
  return { ...raw, hostPorts };
}
