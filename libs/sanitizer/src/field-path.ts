/** One step of a path pattern: a key (with `*` for any run of characters) or every item of a list. */
export type PathStep = { key: RegExp | string } | { items: true };

/** One step to a place in an object: a key, or a list's item by its content (managedFields name items so, not by index). */
type Step = string | { item: unknown };

/** Where a value stands in an object. */
export type Location = readonly Step[];

const TOKEN = /\["([^"]+)"\]|(\[\])|([^.[\]]+)/g;

/** Reads `spec.ports[].nodePort` and `metadata.annotations["example.com/*"]`; keys with dots or slashes stand in brackets. */
export function parsePath(text: string): PathStep[] {
  return [...text.matchAll(TOKEN)].map(([, quoted, items, plain]) => {
    if (items !== undefined) return { items: true };
    const key = quoted ?? plain ?? '';
    return { key: key.includes('*') ? globOf(key) : key };
  });
}

function globOf(key: string): RegExp {
  const literal = key.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`, 's');
}
