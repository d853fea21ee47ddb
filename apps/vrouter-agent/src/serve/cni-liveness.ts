import { request } from 'node:http';

const timeoutMs = 3000;

/** Asks the CNI socket for VERSION. @returns what is wrong; empty when it answers. */
export function checkCniSocket(socketPath: string): Promise<string[]> {
  const body = JSON.stringify({ env: { CNI_COMMAND: 'VERSION' }, stdin: '{"cniVersion":"1.1.0"}' });
  return new Promise((resolve) => {
    const call = request({ socketPath, method: 'POST', path: '/cni', timeout: timeoutMs }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200 ? [] : [`${socketPath} answers ${response.statusCode}`]));
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    call.on('error', (error) => resolve([`${socketPath}: ${error.message}`]));
    call.end(body);
  });
}
