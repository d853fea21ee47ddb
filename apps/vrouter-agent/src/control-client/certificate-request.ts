import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ContrailError } from '@contrail/errors';

const run = promisify(execFile);

export interface CertificateRequest {
  readonly keyPem: string;
  /** PKCS#10; its subject is for people, the signer decides the names. */
  readonly requestPem: string;
}

/**
 * A new P-256 key and a request for it, made by the openssl program (Node.js makes no requests).
 *
 * @throws ContrailError FAILED_PRECONDITION when openssl cannot be run.
 */
export async function newCertificateRequest(node: string): Promise<CertificateRequest> {
  const subject = `/CN=vrouter-agent/O=${subjectText(node)}`;
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '-'];
  try {
    const { stdout } = await run('openssl', ['req', '-new', ...key, '-out', '-', '-subj', subject]);
    return { keyPem: pemBlock(stdout, 'PRIVATE KEY'), requestPem: pemBlock(stdout, 'CERTIFICATE REQUEST') };
  } catch (cause) {
    throw new ContrailError('FAILED_PRECONDITION', 'openssl cannot make a key and a certificate request; is it installed?', { cause });
  }
}

/** In a subject, "/" begins the next part. */
function subjectText(node: string): string {
  return node.replace(/[^A-Za-z0-9.-]/g, '_');
}

function pemBlock(text: string, label: string): string {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text);
  if (!found) throw new ContrailError('INTERNAL', `openssl printed no ${label}`);
  return `${found[0]}\n`;
}
