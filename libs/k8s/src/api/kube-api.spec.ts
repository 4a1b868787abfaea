import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeInformer } from '../informer/kube-informer.ts';
import { KubeApi } from './kube-api.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let api: KubeApi;
let handle: Handler;

beforeEach(async () => {
  server = createServer((request, response) => handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = new KubeConfig();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u', token: 'token' });
  api = new KubeApi(config);
});

afterEach(async () => {
  api.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
};
const list = (names: string[], more?: string): unknown => ({
  apiVersion: 'v1',
  kind: 'ConfigMapList',
  metadata: { resourceVersion: '9', continue: more },
  items: names.map((name) => ({ metadata: { name, uid: name, resourceVersion: '1' } })),
});
const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' };

describe('KubeApi', () => {
  it('sends the token', async () => {
    handle = (request, response) => json(response, 200, { authorization: request.headers.authorization });

    expect(await api.get('/x')).toEqual({ authorization: 'Bearer token' });
  });

  it('gives up after its time limit, also in the middle of an answer', async () => {
    handle = (_request, response) => void response.writeHead(200).write('{"half":');

    await expect(api.get('/x', { timeoutMs: 30 })).rejects.toMatchObject({ code: 'Timeout', retryable: true });
  });

  it('says Aborted when the caller gives up', async () => {
    const caller = new AbortController();
    handle = () => caller.abort();

    await expect(api.get('/x', { signal: caller.signal })).rejects.toMatchObject({ code: 'Aborted' });
  });

  it('sends a request again that met a closing connection', async () => {
    let calls = 0;
    handle = (request, response) => {
      calls += 1;
      if (calls === 2) request.socket.destroy();
      else json(response, 200, {});
    };

    await api.get('/x');
    await api.get('/x');

    expect(calls).toBe(3);
  });

  it('says Unreachable when the server hangs up on a new connection', async () => {
    handle = (request) => request.socket.destroy();

    await expect(api.get('/x')).rejects.toMatchObject({ code: 'Unreachable' });
  });

  it('announces the length of every body, in bytes', async () => {
    handle = (request, response) => json(response, 200, { length: request.headers['content-length'] });

    const { body } = await api.request({ method: 'DELETE', path: '/x', body: 'ü' });

    expect(body).toEqual({ length: '4' });
  });

  it('keeps every digit of large integers, read and written', async () => {
    let sent = '';
    handle = (request, response) => {
      request.on('data', (chunk: Buffer) => (sent += chunk.toString()));
      request.on('end', () => response.end('{"spec":{"limit":1234567890123456789}}'));
    };

    const object = await api.get('/x');
    await api.update('/x', object);

    expect(object['spec']).toEqual({ limit: 1234567890123456789n });
    expect(sent).toBe('{"spec":{"limit":1234567890123456789}}');
  });

  it('starts a list again that expired between its pages, so that it is complete', async () => {
    const answers = [() => list(['old'], 'next'), undefined, () => list(['a'], 'next'), () => list(['b'])];
    handle = (_request, response) => {
      const answer = answers.shift();
      json(response, answer === undefined ? 410 : 200, answer?.() ?? { reason: 'Expired' });
    };

    const { items } = await api.list('/api/v1/configmaps');

    expect(items.map((item) => item.metadata.name)).toEqual(['a', 'b']);
  });

  it('never returns part of a list', async () => {
    let calls = 0;
    handle = (_request, response) => {
      calls += 1;
      if (calls === 1) json(response, 200, list(['a'], 'next'));
      else json(response, 500, {});
    };

    await expect(api.list('/api/v1/configmaps')).rejects.toMatchObject({ code: 'ServerError' });
  });
});

describe('KubeInformer', () => {
  it('lists again after 410, and tells what went away meanwhile', async () => {
    let lists = 0;
    handle = (request, response) => {
      if (request.url?.includes('watch=true') === true) {
        if (lists === 1)
          response.end(
            `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`,
          );
        else response.flushHeaders();
        return;
      }
      lists += 1;
      json(response, 200, list(lists === 1 ? ['stays', 'goes'] : ['stays', 'comes']));
    };
    const told: string[] = [];
    let secondSync: () => void = () => undefined;
    const again = new Promise<void>((resolve) => (secondSync = resolve));
    const informer = new KubeInformer(api, {
      type: CONFIG_MAPS,
      onAdd: (object) => told.push(`add ${object.metadata.name}`),
      onDelete: (object) => told.push(`delete ${object.metadata.name}`),
      onSynced: () => (lists === 2 ? secondSync() : undefined),
    });

    await again;
    await informer.stop();

    expect(told).toEqual(['add stays', 'add goes', 'delete goes', 'add comes']);
  });

  it('goes on from the last bookmark after a watch ended, and survives a listener that throws', async () => {
    const from: (string | null)[] = [];
    let thirdWatch: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (thirdWatch = resolve));
    handle = (request, response) => {
      const query = new URL(request.url ?? '', 'http://server').searchParams;
      if (!query.has('watch')) return json(response, 200, list(['a']));
      from.push(query.get('resourceVersion'));
      if (from.length === 3) thirdWatch();
      const type = from.length === 1 ? 'ADDED' : 'BOOKMARK';
      const metadata = { name: 'b', uid: 'b', resourceVersion: String(10 * from.length) };
      if (from.length < 3) response.end(`${JSON.stringify({ type, object: { metadata } })}\n`);
      else response.flushHeaders();
    };
    const informer = new KubeInformer(api, {
      type: CONFIG_MAPS,
      onAdd: () => {
        throw new Error('a listener failed');
      },
    });

    await reached;
    await informer.stop();

    expect(from).toEqual(['9', '10', '20']);
    expect(informer.items()).toHaveLength(2);
  });

  it.each([
    ['at once', 0],
    ['later than it may be silent', 100], // as on a busy machine
  ])('leaves a connection on which the server has gone silent, having answered %s', async (_when, delayMs) => {
    let watches = 0;
    let secondWatch: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (secondWatch = resolve));
    handle = (request, response) => {
      if (request.url?.includes('watch=true') !== true) return json(response, 200, list(['a']));
      watches += 1;
      setTimeout(() => response.flushHeaders(), delayMs);
      if (watches === 2) secondWatch();
    };
    const errors: string[] = [];
    const informer = new KubeInformer(api, {
      type: CONFIG_MAPS,
      timing: { watchSeconds: 0, graceMs: 20 },
      onError: (error) => errors.push(error.code),
    });

    await reached;
    await informer.stop();

    expect(errors).toEqual(['Unreachable']);
    expect(informer.size).toBe(1);
  });
});
