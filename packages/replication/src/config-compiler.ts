import { ConfigError } from '@sluice/base';
import type { StoredConfig } from '@sluice/storage';
import { compileSyncConfig, type SyncPlan } from '@sluice/sync-config';

/** More than the configs of all generations and what is deployed. */
const MAX_CACHED = 16;

/** Compiles sync configs, each text once. */
export class ConfigCompiler {
  readonly #defaultSchema: string;
  readonly #plans = new Map<string, SyncPlan | ConfigError>();

  constructor(defaultSchema: string) {
    this.#defaultSchema = defaultSchema;
  }

  /** @throws ConfigError `CONFIG_SYNC_INVALID` */
  compile(text: string): SyncPlan {
    const compiled = this.#plans.get(text) ?? this.#compiled(text);
    this.#plans.delete(text); // the one used longest ago goes first
    this.#plans.set(text, compiled);
    for (const oldest of this.#plans.keys()) {
      if (this.#plans.size <= MAX_CACHED) break;
      this.#plans.delete(oldest);
    }
    if (compiled instanceof ConfigError) throw compiled;
    return compiled;
  }

  /**
   * The plan of a stored config; undefined when this version of the compiler makes of it what its
   * buckets were not filled for.
   */
  planOf({ text, prefixes }: StoredConfig): SyncPlan | undefined {
    const plan = this.tryCompile(text);
    return plan?.parts.every(({ hash }) => prefixes[hash] !== undefined) ? plan : undefined;
  }

  tryCompile(text: string): SyncPlan | undefined {
    try {
      return this.compile(text);
    } catch (error) {
      if (error instanceof ConfigError) return undefined;
      throw error;
    }
  }

  #compiled(text: string): SyncPlan | ConfigError {
    const { plan, diagnostics } = compileSyncConfig(text, { defaultSchema: this.#defaultSchema });
    if (plan !== undefined) return plan;
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const message = `The sync config has ${errors.length} error(s): ${errors[0]?.message ?? ''}`;
    return new ConfigError('CONFIG_SYNC_INVALID', message);
  }
}
