import { ContrailError } from '@contrail/errors';

/**
 * A domain name as it stands in a message, one character for each byte: length byte and label, again and again, and the
 * zero byte of the root. Letters A to Z are small, so equal names are equal strings.
 */
export type WireName = string & { readonly wireName: true };

export const labelLengthMax = 63;
export const nameLengthMax = 255;
export const rootName = '\0' as WireName;

/** Small letters as DNS compares them: ASCII only, other bytes stay. */
export function lowerCaseAscii(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

/**
 * Puts labels in front of a name.
 *
 * @param labels one character for each byte, first label first.
 * @throws ContrailError INVALID_ARGUMENT when a label or the whole name is too long, or a label is empty.
 */
export function joinName(labels: readonly string[], parent: WireName = rootName): WireName {
  let name = '';
  for (const label of labels) {
    if (label.length === 0 || label.length > labelLengthMax) {
      throw new ContrailError(
        'INVALID_ARGUMENT',
        `label "${label}": has ${label.length} bytes; a DNS label has 1 to ${labelLengthMax}`,
      );
    }
    name += String.fromCharCode(label.length) + lowerCaseAscii(label);
  }
  name += parent;
  if (name.length > nameLengthMax) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `name "${labels.join('.')}…": has ${name.length} bytes; a DNS name has at most ${nameLengthMax}`,
    );
  }
  return name as WireName;
}

/** As `joinName`; undefined where that throws. */
export function tryJoinName(labels: readonly string[], parent?: WireName): WireName | undefined {
  try {
    return joinName(labels, parent);
  } catch {
    return undefined;
  }
}

/**
 * @param text labels with dots between them, with or without the last dot; no escapes.
 * @throws ContrailError INVALID_ARGUMENT
 */
export function parseName(text: string): WireName {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text;
  return bare === '' ? rootName : joinName(bare.split('.'));
}

/** The labels of a name, first label first; the root has none. */
export function labelsOf(name: WireName): string[] {
  const labels: string[] = [];
  for (let at = 0; ; ) {
    const length = name.charCodeAt(at);
    if (!(length > 0)) return labels;
    labels.push(name.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
}

/** The name without its first label; the root's parent is the root. */
export function parentOf(name: WireName): WireName {
  const length = name.charCodeAt(0);
  return length > 0 ? (name.slice(1 + length) as WireName) : rootName;
}

/** The labels in front of `zone`, first label first; undefined when the name is not in the zone. */
export function labelsBelow(name: WireName, zone: WireName): string[] | undefined {
  const labels: string[] = [];
  let at = 0;
  while (name.length - at > zone.length) {
    const length = name.charCodeAt(at);
    labels.push(name.slice(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return name.length - at === zone.length && name.endsWith(zone) ? labels : undefined;
}

/** For people and for dns-packet: `www.example.`, with dots and unprintable bytes of labels as `\DDD`. */
export function formatName(name: WireName): string {
  return `${labelsOf(name).map(escapeLabel).join('.')}.`;
}

function escapeLabel(label: string): string {
  return label.replace(/[^!-~]|[.\\"();@$]/g, (byte) => `\\${String(byte.charCodeAt(0)).padStart(3, '0')}`);
}
