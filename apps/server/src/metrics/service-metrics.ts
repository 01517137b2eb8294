import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { CANARY_HISTOGRAM, METRICS, type MetricDefinition } from './metric-table.ts';
import type { ServiceFacts } from './service-facts.ts';

/** The metrics of this process, in a registry of their own. */
export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #canary: Histogram;
  readonly #metrics: readonly (readonly [MetricDefinition, Counter | Gauge])[];
  readonly #facts: () => ServiceFacts;

  constructor(facts: () => ServiceFacts) {
    this.#facts = facts;
    const registers = [this.#registry];
    this.#metrics = METRICS.map((definition) => {
      const { name, kind, meaning: help, label } = definition;
      const labelNames = label === undefined ? [] : [label];
      const settings = { name, help, labelNames, registers };
      return [definition, kind === 'counter' ? new Counter(settings) : new Gauge(settings)];
    });
    const { name, meaning: help, buckets } = CANARY_HISTOGRAM;
    this.#canary = new Histogram({ name, help, buckets: [...buckets], registers });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  observeCanary(tookMs: number): void {
    this.#canary.observe(tookMs / 1000);
  }

  /** All metrics as Prometheus reads them. */
  text(): Promise<string> {
    const facts = this.#facts();
    for (const [definition, metric] of this.#metrics) fill(definition, metric, facts);
    return this.#registry.metrics();
  }
}

function fill({ label, read }: MetricDefinition, metric: Counter | Gauge, facts: ServiceFacts) {
  metric.reset();
  const sample = read(facts);
  if (typeof sample === 'number') {
    metric.inc(sample);
    return;
  }
  if (label === undefined) {
    metric.remove(); // not known now: 0 would be a lie
    return;
  }
  for (const [value, amount] of Object.entries(sample ?? {})) {
    if (amount !== undefined) metric.inc({ [label]: value }, amount);
  }
}
