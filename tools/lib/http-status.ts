import { get } from 'node:http';

/** The status that a plain HTTP endpoint answers; rejects when nobody does within two seconds. */
export function httpStatus(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = get(url, { timeout: 2_000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.once('timeout', () => call.destroy(new Error(`${url} does not answer`)));
    call.once('error', reject);
  });
}
