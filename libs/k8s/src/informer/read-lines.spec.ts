import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readLines } from './read-lines.ts';

async function* inChunks(bytes: Buffer, sizes: number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let index = 0; start < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const collected: string[] = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

describe('readLines', () => {
  it('gives the same lines however the bytes are cut, characters of several bytes too', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => JSON.stringify(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (lines, sizes) => {
          const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
          expect(await collect(readLines(inChunks(bytes, sizes)))).toEqual(lines);
        },
      ),
    );
  });

  it('leaves out a line that was cut off', async () => {
    expect(await collect(readLines(inChunks(Buffer.from('whole\nhal'), [4])))).toEqual(['whole']);
  });
});
