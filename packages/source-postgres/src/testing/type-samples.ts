import { must } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { SeededRandom } from '@sluice/testing';
import pg from 'pg';
import { expect } from 'vitest';
import { TypeCatalog } from '../types/type-catalog.ts';
import { DEFAULT_TYPE_OPTIONS } from '../types/type-options.ts';

/** What a query gives as PostgreSQL prints it, without the client's own parsing. */
type TextRow = Record<string, string | null>;

export interface DecodedSample {
  readonly value: SqliteValue;
  /** What an oracle written in SQL says. */
  readonly oracle: string | null;
}

/** Has a real server write values of any type, and decodes them. For tests. */
export class TypeSamples {
  readonly client: pg.Client;

  private constructor(client: pg.Client) {
    this.client = client;
  }

  static async connect(url: string): Promise<TypeSamples> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`
      SET DateStyle = ISO; SET TimeZone = UTC; SET IntervalStyle = postgres;
      SET bytea_output = hex; SET extra_float_digits = 1`);
    return new TypeSamples(client);
  }

  readonly query = async (sql: string, values: readonly unknown[] = []): Promise<TextRow[]> => {
    const types = { getTypeParser: () => (value: unknown) => value };
    // The casts hold because no parser touches the values.
    const asPrinted = types as unknown as pg.CustomTypesConfig;
    const config = { text: sql, values: [...values], types: asPrinted };
    return (await this.client.query(config)).rows as TextRow[];
  };

  async typeOid(name: string): Promise<number> {
    const [row] = await this.query('SELECT $1::regtype::oid::text AS oid', [name]);
    return Number(row?.['oid']);
  }

  /**
   * Stores values of a type, reads them in their text form and as a snapshot copies them, and
   * requires that both are decoded to the same.
   */
  async decodeAll(
    type: string,
    literals: readonly string[],
    { options = DEFAULT_TYPE_OPTIONS, oracle = 'v::text' } = {},
  ): Promise<DecodedSample[]> {
    const oid = await this.typeOid(type);
    const catalog = new TypeCatalog(options);
    await catalog.ensure(this.query, [oid]);
    const column = catalog.columnType(oid);
    await this.query('DROP TABLE IF EXISTS sample');
    await this.query(`CREATE TABLE sample (n serial, v ${type})`);
    await this.query(`INSERT INTO sample (v) SELECT x::${type} FROM unnest($1::text[]) x`, [
      literals,
    ]);
    const copied = column.decodeBinary
      ? `encode(${await this.#sendFunction(oid)}(v), 'hex')`
      : `encode(convert_to(${column.copyExpression('v')}, 'UTF8'), 'hex')`;
    const rows = await this.query(
      `SELECT v AS text, ${copied} AS copied, ${oracle} AS oracle FROM sample ORDER BY n`,
    );
    return rows.map((row) => {
      const bytes = Buffer.from(must(row['text']));
      const value = column.decodeText(must(row['text']));
      const binary = Buffer.from(must(row['copied']), 'hex');
      const sample = `${type} ${row['text']}`;
      expect(column.decodeTextSlice(bytes, 0, bytes.length), sample).toEqual(value);
      expect(column.decodeCopied(binary, 0, binary.length), sample).toEqual(value);
      return { value, oracle: row['oracle'] ?? null };
    });
  }

  async #sendFunction(oid: number): Promise<string> {
    const [row] = await this.query(
      `SELECT typsend::regproc::text AS name FROM pg_type WHERE oid = ${oid}`,
    );
    return must(row?.['name']);
  }
}

/** Random choices that repeat with the seed. */
export class RandomSamples extends SeededRandom {
  bytes(count: number): Buffer {
    return Buffer.from(times(count, () => this.int(256)));
  }

  digits(count: number): string {
    return times(count, () => this.int(10)).join('');
  }

  /** Short text in which every character with a meaning in some literal is common. */
  text(): string {
    return times(this.int(6), () => this.pick(PIECES)).join('');
  }
}

const PIECES = `a|Z| |"|\\|{|}|(|)|[|]|,|;|'|é|🎉|\n|NULL|`.split('|');

export function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

/** The seed of this run, from the environment or the clock. */
export function seedOfRun(): number {
  return Number(process.env['SEED'] ?? Date.now() % 1_000_000);
}
