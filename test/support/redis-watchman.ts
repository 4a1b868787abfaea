import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to Redis on which somebody listens to what is asked, and may let nothing more through. */
export interface Watchman {
  readonly url: string;
  /**
   * Resolves when all texts have been asked for, each after the one before, on whatever connection. The last one does not
   * reach Redis, nor does anything that comes after it.
   */
  holdAfter(texts: readonly string[]): Promise<void>;
  close(): void;
}

export async function startWatchman(to: { port: number }): Promise<Watchman> {
  let wanted: string[] = [];
  let found: () => void = () => undefined;
  let closed = false;
  const sockets: Socket[] = [];
  /** @param heard what came last on this connection: a text may come in two parts */
  const passes = (heard: string): boolean => {
    while (wanted[0] !== undefined && heard.includes(wanted[0])) {
      wanted.shift();
      if (wanted.length === 0) {
        closed = true;
        found();
      } else return true;
    }
    return !closed;
  };
  const server = createServer((near) => {
    const far = connect(to.port, '127.0.0.1');
    let last = '';
    for (const socket of [near, far]) {
      sockets.push(socket);
      socket.on('error', () => undefined);
    }
    near.on('data', (chunk) => {
      last = last.slice(-200) + chunk.toString('latin1');
      if (passes(last)) far.write(chunk);
    });
    near.on('close', () => far.destroy());
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    holdAfter: (texts) =>
      new Promise((resolve) => {
        wanted = [...texts];
        found = resolve;
      }),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
