import { connect, createServer, type Server, type Socket } from 'node:net';
import { retryOnTakenPort } from '../lib/retry-on-taken-port.ts';

/** Where connections may go; `ready` is asked at each new one. */
export interface Backend {
  port: number;
  ready: () => boolean;
}

/** One address for several replicas, as a Service is one: connections go round, past replicas that are not ready. */
export interface Balancer {
  /** `https://…`: the connections' content passes through unread. */
  readonly url: string;
  /** Connections that found nobody ready. */
  readonly refused: number;
  close(): Promise<void>;
}

export async function startBalancer(backends: () => readonly Backend[]): Promise<Balancer> {
  const open = new Set<Socket>();
  let turn = 0;
  let refused = 0;
  const accept = (client: Socket): void => {
    const all = backends();
    const start = turn++;
    const order = all.map((_, index) => all[(start + index) % all.length]!).filter((backend) => backend.ready());
    track(client, open);
    forward(client, order, open, () => (refused += 1));
  };
  const { server, port } = await retryOnTakenPort(1, async ([port]) => ({
    server: await listen(port!, accept),
    port: port!,
  }));
  return {
    url: `https://127.0.0.1:${port}`,
    get refused() {
      return refused;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(port: number, accept: (client: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, accept);
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server));
  });
}

/** Joins both ends; what ends one ends the other, so that the API server never keeps a connection to a dead replica. */
function forward(client: Socket, [next, ...others]: Backend[], open: Set<Socket>, onRefused: () => void): void {
  if (next === undefined) {
    onRefused();
    client.destroy();
    return;
  }
  const backend = connect({ port: next.port, host: '127.0.0.1', noDelay: true });
  let joined = false;
  track(backend, open);
  backend.once('connect', () => {
    joined = true;
    client.pipe(backend);
    backend.pipe(client);
  });
  backend.once('close', () => {
    if (joined) client.destroy();
    else if (!client.destroyed) forward(client, others, open, onRefused);
  });
  client.once('close', () => backend.destroy());
}

function track(socket: Socket, open: Set<Socket>): void {
  open.add(socket);
  socket.on('error', () => undefined); // 'close' follows, and says all that is needed
  socket.once('close', () => open.delete(socket));
}
