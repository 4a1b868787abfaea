import { Controller, Get, Req, Res } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Prometheus } from '../observability/prometheus.service.ts';
import { Readiness } from './readiness.service.ts';

@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: Readiness,
    private readonly prometheus: Prometheus,
  ) {}

  @Get('livez')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  @Get('readyz')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => {
        const missing = this.readiness.missing();
        const indicator = this.indicators.check('reverser');
        return Object.keys(missing).length === 0 ? indicator.up() : indicator.down({ missing });
      },
    ]);
  }

  @Get('metrics')
  metrics(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    reply.hijack();
    this.prometheus.serve(request.raw, reply.raw);
  }
}
