/** How often a log that is no terminal gets a line while something takes long, in milliseconds. */
const LINE_INTERVAL_MS = 15_000;

function elapsed(since: number): string {
  const seconds = Math.round((Date.now() - since) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Runs `work` and shows on standard error that it goes on: a terminal sees the seconds run, a log gets a line now and
 * then. What ends within a second leaves no trace.
 */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  const out = process.stderr;
  let shown = false;
  let nextLine = 0;
  const timer = setInterval(() => {
    if (out.isTTY) {
      out.write(`\r\x1b[2K… ${what} (${elapsed(start)})`);
    } else if (Date.now() >= nextLine) {
      out.write(`… ${what} (${elapsed(start)})\n`);
      nextLine = Date.now() + LINE_INTERVAL_MS;
    }
    shown = true;
  }, 1_000);
  try {
    const result = await work();
    if (shown) out.write(`${out.isTTY ? '\r\x1b[2K' : ''}✓ ${what} (${elapsed(start)})\n`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
