export { startRedis } from '../../tools/redis/index.ts';
export type { Redis, RedisOptions } from '../../tools/redis/index.ts';
