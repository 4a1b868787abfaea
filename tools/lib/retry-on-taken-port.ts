import { freePort } from './free-port.ts';

const ATTEMPTS = 5;

/**
 * Starts something on ports that were free a moment ago, and takes other ports when somebody else was faster: when the
 * error, which holds what the process printed, says so.
 */
export async function retryOnTakenPort<T>(count: number, start: (ports: number[]) => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS; ; left--) {
    const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
    try {
      return await start(ports);
    } catch (error) {
      const taken = /address already in use|EADDRINUSE/i.test((error as Error).message);
      if (!taken || left <= 1) throw error;
    }
  }
}
