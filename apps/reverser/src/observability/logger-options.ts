import type { Params } from 'nestjs-pino';

/** Logs as JSON lines. Requests are not logged: metrics count them, and their bodies may hold secrets. */
export function loggerOptions(level: string): Params {
  return {
    pinoHttp: {
      level,
      autoLogging: false,
      quietReqLogger: true,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
  };
}
