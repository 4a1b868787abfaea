import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import { AppModule } from './app.module.ts';
import { checkKubeconfig } from './config/check-kubeconfig.ts';
import { EnvironmentError } from './config/environment.ts';
import { loadSettings } from './config/settings.ts';
import type { Settings } from './config/settings.ts';
import { CodedError } from '#domain';
import { gitEnvironment } from './config/git-environment.ts';
import { OperatorService } from './operator.service.ts';
import { RedisConnections } from './redis/redis-connections.service.ts';
import { uninstall } from './uninstall.ts';

const USAGE = `Usage: gitops-reverser [uninstall]

Without a command the operator runs until it is told to end (SIGTERM, SIGINT).
  uninstall   removes its webhook configuration and its own Secrets from the cluster
Settings are environment variables: see the README.
`;

async function run(settings: Settings): Promise<void> {
  const module = AppModule.register(settings, gitEnvironment(process.env));
  const app = await NestFactory.create<NestFastifyApplication>(
    module,
    new FastifyAdapter({ forceCloseConnections: true }),
    {
      bufferLogs: true,
      abortOnError: false,
    },
  );
  const logger = app.get(Logger);
  app.useLogger(logger);
  const end = (signal: string): void => {
    logger.log({ msg: 'ending', signal });
    app
      .close()
      .then(() => app.get(RedisConnections).disconnect())
      .then(
        () => process.exit(0),
        (error: Error) => fail(error),
      );
  };
  process.once('SIGTERM', () => end('SIGTERM'));
  process.once('SIGINT', () => end('SIGINT'));
  void app.get(OperatorService).failed.then(fail);
  await app.listen(settings.http.port, settings.http.host);
}

/** What can't be handled where it arose ends the process with what to do about it, not with a stack. */
function fail(error: unknown): never {
  const known = error instanceof EnvironmentError || error instanceof CodedError;
  const { code, syscall } = error as NodeJS.ErrnoException;
  const text =
    code === 'EADDRINUSE'
      ? `A port is taken by another process: ${(error as Error).message}. Set HTTP_PORT or WEBHOOK_PORT to a free one.`
      : syscall === 'listen' || syscall === 'getaddrinfo'
        ? `Can't listen: ${(error as Error).message}. Correct HTTP_HOST, HTTP_PORT, WEBHOOK_HOST or WEBHOOK_PORT.`
        : known
          ? error.message
          : error instanceof Error
            ? (error.stack ?? error.message)
            : String(error);
  process.stderr.write(`gitops-reverser: ${text}\n`);
  process.exit(1);
}

const [command, ...rest] = process.argv.slice(2);
try {
  if (rest.length > 0 || (command !== undefined && command !== 'uninstall')) {
    process.stderr.write(USAGE);
    process.exit(2);
  }
  const settings = loadSettings(process.env, checkKubeconfig);
  await (command === 'uninstall' ? uninstall(settings) : run(settings));
} catch (error) {
  fail(error);
}
