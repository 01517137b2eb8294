import type { StatementResult } from '../database/writer-session.ts';
import { RowSet, rowSetOf } from '../watch/row-set.ts';

/** What one statement gave and did. */
export class QueryResult extends RowSet {
  /** Rows inserted, updated or deleted. */
  readonly rowsAffected: number;
  readonly insertId: number | bigint | undefined;

  constructor(result: StatementResult) {
    const { columns, array } = rowSetOf(result);
    super(columns, array);
    this.rowsAffected = result.rowsAffected;
    this.insertId = result.insertId;
  }
}
