import { rowSetOf, type PlainRow } from '../watch/row-set.ts';
import type { RawRows } from '../watch/query-runner.ts';
import { ClientError } from '../errors.ts';

/** The ways to read rows, over one way to run a query. */
export abstract class Queries {
  protected abstract select(sql: string, parameters: readonly unknown[]): Promise<RawRows>;

  async getAll<Row = PlainRow>(
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    return rowSetOf(await this.select(sql, parameters)).array as readonly Row[];
  }

  /** The first row, or null. */
  async getOptional<Row = PlainRow>(
    sql: string,
    parameters: readonly unknown[] = [],
  ): Promise<Row | null> {
    const [first] = await this.getAll<Row>(sql, parameters);
    return first ?? null;
  }

  /**
   * The first row.
   *
   * @throws ClientError `EMPTY` if there is none
   */
  async get<Row = PlainRow>(sql: string, parameters: readonly unknown[] = []): Promise<Row> {
    const [first] = await this.getAll<Row>(sql, parameters);
    if (first === undefined) throw new ClientError('EMPTY', 'Result set is empty');
    return first;
  }
}
