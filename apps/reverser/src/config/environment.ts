import { plainToInstance, Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateBy, validateSync } from 'class-validator';
import type { ValidationError } from 'class-validator';
import { isRedisUrl, isWebhookUrl } from './url-forms.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
/** RFC 1123 label: the names of namespaces, Services, and prefixes of object names. */
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const HOST = /^[A-Za-z0-9.:_-]+$/;

const toInteger = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
);
const toBoolean = Transform(({ value }: { value: unknown }) =>
  value === 'true' ? true : value === 'false' ? false : value,
);

const Satisfies = (test: (text: string) => boolean, options: { message: string }): PropertyDecorator =>
  ValidateBy(
    { name: test.name, validator: { validate: (value) => typeof value === 'string' && test(value) } },
    options,
  );

const port = (name: string): { message: string } => ({ message: `${name} must be a port from 1 to 65535.` });
const host = (name: string): { message: string } => ({
  message: `${name} must be an address to listen on, such as 0.0.0.0.`,
});
const count = (name: string): { message: string } => ({
  message: `${name} must be a whole number from 0 to 999999999.`,
});
const label = (name: string): { message: string } => ({
  message: `${name} must be a DNS label: a-z, 0-9 and '-', 63 characters at most.`,
});

/** The environment as the operator reads it: names, forms and defaults. The table in the README says what each is for. */
export class Environment {
  @IsOptional()
  KUBECONFIG?: string;

  @Satisfies(isRedisUrl, {
    message:
      'REDIS_URL must be a redis:// or rediss:// URL, such as redis://user:password@host:6379/0, with special characters percent-encoded.',
  })
  REDIS_URL: string = 'redis://127.0.0.1:6379';

  @Matches(/^[A-Za-z0-9._-]{1,100}$/, { message: 'QUEUE_PREFIX must be 1 to 100 characters of A-Z a-z 0-9 . _ -.' })
  QUEUE_PREFIX: string = 'gitops-reverser';

  @toInteger
  @IsInt(port('WEBHOOK_PORT'))
  @Min(1, port('WEBHOOK_PORT'))
  @Max(65535, port('WEBHOOK_PORT'))
  WEBHOOK_PORT: number = 9443;

  @Matches(HOST, host('WEBHOOK_HOST'))
  WEBHOOK_HOST: string = '0.0.0.0';

  @IsOptional()
  @Satisfies(isWebhookUrl, {
    message: 'WEBHOOK_URL must be a valid https:// URL without user, query or fragment.',
  })
  WEBHOOK_URL?: string;

  @Matches(DNS_LABEL, label('WEBHOOK_SERVICE'))
  WEBHOOK_SERVICE: string = 'gitops-reverser';

  @toInteger
  @IsInt(port('HTTP_PORT'))
  @Min(1, port('HTTP_PORT'))
  @Max(65535, port('HTTP_PORT'))
  HTTP_PORT: number = 8080;

  @Matches(HOST, host('HTTP_HOST'))
  HTTP_HOST: string = '0.0.0.0';

  @Matches(DNS_LABEL, label('POD_NAMESPACE'))
  POD_NAMESPACE: string = 'gitops-reverser-system';

  @Matches(DNS_LABEL, label('INSTANCE_NAME'))
  INSTANCE_NAME: string = 'gitops-reverser';

  @IsOptional()
  @Matches(/^\//, { message: 'DATA_DIR must be an absolute path.' })
  DATA_DIR?: string;

  @toBoolean
  @IsBoolean({ message: "ALLOW_FILE_URLS must be 'true' or 'false'." })
  ALLOW_FILE_URLS: boolean = false;

  @IsIn(LOG_LEVELS, { message: `LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}.` })
  LOG_LEVEL: string = 'info';

  @Matches(/^(0|[1-9]\d{0,6}(s|m|h))$/, {
    message: 'RESYNC_INTERVAL must be a time such as 30s, 10m or 1h, or 0 to compare only on request.',
  })
  RESYNC_INTERVAL: string = '10m';

  @toBoolean
  @IsBoolean({ message: "BACKSTOP must be 'true' or 'false'." })
  BACKSTOP: boolean = true;

  @toInteger
  @IsInt(count('SPILL_MAX_RECORDS'))
  @Min(0, count('SPILL_MAX_RECORDS'))
  SPILL_MAX_RECORDS: number = 20_000;

  @toInteger
  @IsInt(count('SPILL_MAX_BYTES'))
  @Min(0, count('SPILL_MAX_BYTES'))
  SPILL_MAX_BYTES: number = 64 * 1024 * 1024;

  @toInteger
  @IsInt({ message: 'SHUTDOWN_GRACE_SECONDS must be a whole number from 0 to 300.' })
  @Min(0, { message: 'SHUTDOWN_GRACE_SECONDS must be a whole number from 0 to 300.' })
  @Max(300, { message: 'SHUTDOWN_GRACE_SECONDS must be a whole number from 0 to 300.' })
  SHUTDOWN_GRACE_SECONDS: number = 10;
}

/** Every mistake in the environment, one line each. Never holds a value: it may be a secret. */
export class EnvironmentError extends Error {
  constructor(readonly problems: string[]) {
    super(
      `The environment has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.name = 'EnvironmentError';
  }
}

const NAMES = Object.keys(new Environment()).concat(['KUBECONFIG', 'WEBHOOK_URL', 'DATA_DIR']);

/** What could be read, and every mistake. */
export interface CheckedEnvironment {
  environment: Environment;
  problems: string[];
}

/** Reads the known names; an empty value counts as not set. */
export function checkEnvironment(env: Record<string, string | undefined>): CheckedEnvironment {
  const given = Object.fromEntries(NAMES.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const environment = plainToInstance(Environment, given, { exposeDefaultValues: true });
  const problems = validateSync(environment).flatMap(describeProblem);
  if (oneSocket(environment)) {
    problems.push('WEBHOOK_PORT and HTTP_PORT must be two ports: the process listens on both.');
  }
  return { environment, problems };
}

function describeProblem(error: ValidationError): string[] {
  return [...new Set(Object.values(error.constraints ?? {}))];
}

/** Two servers can share a port only on two addresses. */
function oneSocket({ WEBHOOK_PORT, WEBHOOK_HOST, HTTP_PORT, HTTP_HOST }: Environment): boolean {
  const everywhere = [WEBHOOK_HOST, HTTP_HOST].some((host) => host === '0.0.0.0' || host === '::');
  return Number.isInteger(HTTP_PORT) && WEBHOOK_PORT === HTTP_PORT && (everywhere || WEBHOOK_HOST === HTTP_HOST);
}
