import { Global, Module } from '@nestjs/common';
import { OpenTelemetryModule } from 'nestjs-otel';
import { Prometheus } from './prometheus.service.ts';
import { ReverserMetrics } from './reverser-metrics.service.ts';

@Global()
@Module({
  imports: [OpenTelemetryModule.forRoot({ metrics: { hostMetrics: false } })],
  providers: [Prometheus, ReverserMetrics],
  exports: [Prometheus, ReverserMetrics],
})
export class ObservabilityModule {}
