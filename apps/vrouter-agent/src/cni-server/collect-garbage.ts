import { errorText } from '@contrail/errors';
import { nameText } from './attachment-store';
import type { CniContext } from './cni-context';
import { CniError, cniCodes } from './cni-error';
import type { CniRequest } from './cni-request';
import { detach } from './detach';

/**
 * GC: detaches what the runtime does not name. Attachments of other networks are left alone. Goes on
 * after a failure and reports all of them.
 *
 * @throws CniError 7 when the runtime names nothing at all: an absent list is not an empty one.
 */
export function collectGarbage(context: CniContext, request: CniRequest): void {
  const { validAttachments, name } = request.config;
  if (!validAttachments) {
    throw new CniError(cniCodes.invalidConfig, 'cni.dev/valid-attachments is absent; GC removes what it does not name');
  }
  const valid = new Set(validAttachments.map(nameText));
  const problems: string[] = [];
  for (const attachment of context.attachments.all()) {
    if (attachment.network !== name || valid.has(nameText(attachment))) continue;
    try {
      detach(context, attachment);
    } catch (error) {
      problems.push(`${nameText(attachment)}: ${errorText(error)}`);
    }
  }
  if (problems.length > 0) throw new CniError(cniCodes.internal, `not everything was removed: ${problems.join('; ')}`);
}
