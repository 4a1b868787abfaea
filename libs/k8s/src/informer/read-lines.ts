const NEWLINE = 0x0a;

/** The lines of a byte stream as text. Bytes are joined once per line: a 3 MiB event arrives in hundreds of chunks. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      start = end + 1;
      const line = Buffer.concat(pending).toString('utf8');
      pending = [];
      if (line !== '') yield line;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  // a last line without its end was cut off with the connection: what it would have said, the next watch says again
}
