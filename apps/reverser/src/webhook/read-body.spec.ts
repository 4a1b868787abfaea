import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { BodyBudget, readBody } from './read-body.ts';

const PREFIX_BYTES = 256 * 1024;
const streamOf = (...chunks: (string | Buffer)[]): Readable => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

describe('readBody', () => {
  it('gives the whole text of what fits, however it is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 7 }), async (text, size) => {
        const bytes = Buffer.from(text.toWellFormed(), 'utf8');
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        const body = await readBody(streamOf(...chunks), new BodyBudget(1_000_000));
        expect(body).toMatchObject({ text: bytes.toString('utf8'), truncated: false });
      }),
    );
  });

  it('holds its bytes until they are released', async () => {
    const budget = new BodyBudget(10);
    const first = await readBody(streamOf('12345678'), budget);
    expect((await readBody(streamOf('123'), budget)).truncated).toBe(true);
    first.release();
    expect((await readBody(streamOf('1234567890'), budget)).truncated).toBe(false);
  });

  it('keeps the beginning of what does not fit, reads it to its end, and holds none of its bytes', async () => {
    const budget = new BodyBudget(300_000);
    const stream = streamOf('a'.repeat(200_000), 'b'.repeat(200_000), 'c'.repeat(200_000));
    const body = await readBody(stream, budget);
    expect(body.truncated).toBe(true);
    expect(body.text).toBe('a'.repeat(200_000) + 'b'.repeat(PREFIX_BYTES - 200_000));
    expect(stream.readableEnded).toBe(true);
    body.release();
    expect((await readBody(streamOf('d'.repeat(300_000)), budget)).truncated).toBe(false);
  });

  it('gives the bytes back when the caller goes away in between', async () => {
    const budget = new BodyBudget(10);
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('12345678');
        await Promise.resolve();
        throw new Error('connection reset');
      })(),
    );
    await expect(readBody(broken, budget)).rejects.toThrow('connection reset');
    expect((await readBody(streamOf('1234567890'), budget)).truncated).toBe(false);
  });
});
