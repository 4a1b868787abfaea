import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** OpenTelemetry's meters, read by Prometheus. It serves no port of its own: the health server does. */
@Injectable()
export class Prometheus implements OnApplicationShutdown {
  private readonly exporter = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
  private readonly provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'gitops-reverser' }),
    readers: [this.exporter],
  });

  constructor() {
    metrics.setGlobalMeterProvider(this.provider);
  }

  /** Writes the text format to `response` and ends it. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    this.exporter.getMetricsRequestHandler(request, response);
  }

  async onApplicationShutdown(): Promise<void> {
    metrics.disable();
    await this.provider.shutdown();
  }
}
