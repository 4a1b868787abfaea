/** Token of the {@link DigestKeyPort}. */
export const DIGEST_KEY = Symbol('DIGEST_KEY');

/** Gives the key of every digest. It must survive restarts: with another key, every Secret's file changes. */
export interface DigestKeyPort {
  /** At least 32 random bytes. */
  digestKey(): Uint8Array;
}
