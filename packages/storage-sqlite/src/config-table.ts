import { must } from '@sluice/base';
import type { GenerationConfigs, StoredConfig } from '@sluice/storage';
import type { Database } from './database.ts';

const ROLES = ['serving', 'next', 'previous'] as const;

interface ConfigRow {
  readonly role: (typeof ROLES)[number];
  readonly text: string;
  readonly hash: string;
  readonly prefixes: string;
  readonly deployed_at_ms: number;
}

/** The sync configs of generations as rows. */
export class ConfigTable {
  readonly #select;
  readonly #delete;
  readonly #insert;

  constructor(db: Database) {
    this.#select = db.prepare<[number], ConfigRow>(
      'SELECT role, text, hash, prefixes, deployed_at_ms FROM configs WHERE generation_id = ?',
    );
    this.#delete = db.prepare<[number]>('DELETE FROM configs WHERE generation_id = ?');
    this.#insert = db.prepare<[number, string, string, string, string, number]>(
      `INSERT INTO configs (generation_id, role, text, hash, prefixes, deployed_at_ms)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
  }

  get(generationId: number): GenerationConfigs {
    const rows = this.#select.all(generationId);
    const found = new Map(rows.map((row) => [row.role, toConfig(row)]));
    return {
      serving: must(found.get('serving'), 'the serving config of a generation'),
      next: found.get('next'),
      previous: found.get('previous'),
    };
  }

  /** To be called in a transaction. */
  replace(generationId: number, configs: GenerationConfigs): void {
    this.#delete.run(generationId);
    for (const role of ROLES) {
      const config = configs[role];
      if (config === undefined) continue;
      const { text, hash, prefixes, deployedAtMs } = config;
      this.#insert.run(generationId, role, text, hash, JSON.stringify(prefixes), deployedAtMs);
    }
  }
}

function toConfig(row: ConfigRow): StoredConfig {
  const prefixes = JSON.parse(row.prefixes) as Record<string, string>;
  return { text: row.text, hash: row.hash, prefixes, deployedAtMs: row.deployed_at_ms };
}
