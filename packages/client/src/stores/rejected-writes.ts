import { deadLetterOf, type DeadLetter } from '../crud/dead-letters.ts';
import type { SqlValue } from '../driver/contract.ts';
import type { SluiceDatabase } from '../facade/sluice-database.ts';

type LetterRow = Readonly<Record<'id' | 'tx_id' | 'data' | 'state' | 'reason' | 'at', SqlValue>>;

/** The newest `limit` writes that the backend did not take, newest first. */
export async function readRejectedWrites(
  database: SluiceDatabase,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const sql = 'SELECT id, tx_id, data, state, reason, at FROM sluice_dead ORDER BY id DESC LIMIT ?';
  return (await database.getAll<LetterRow>(sql, [limit])).map((row) =>
    deadLetterOf([row.id, row.tx_id, row.data, row.state, row.reason, row.at]),
  );
}
