const COLORS = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const;

const colorful = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';

export function paint(color: keyof typeof COLORS, text: string): string {
  return colorful ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text;
}

/** Names and messages are other people's input: a control character must not reach the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}
