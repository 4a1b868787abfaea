/**
 * After news of a CustomResourceDefinition the kinds are asked for again, this many ms after it: discovery is brought up to
 * date some time after the definition says that it is established, and nothing tells when.
 */
const LOOKS_MS = [0, 300, 1_000, 3_000, 10_000] as const;

/** Calls `look` now and a few times later; being called again starts over. */
export class LaterLooks {
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly look: () => void) {}

  start(): void {
    this.stop();
    for (const pause of LOOKS_MS) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.look();
      }, pause);
      this.timers.add(timer);
    }
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }
}
