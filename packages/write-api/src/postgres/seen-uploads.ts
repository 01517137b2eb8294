import { parseExactJson } from '@sluice/base';
import type { RefusedOutcome, WriteKey, WriteOutcome } from '../pipeline/write-store.ts';
import { arrayOf } from './merged-statements.ts';
import type { Statement } from './statement-run.ts';

/**
 * The table of entries that were taken: one row each, written in the transaction of the entry. The
 * index on time is tiny, because rows come in its order.
 */
export const UPLOADS_DDL: readonly string[] = [
  'CREATE SCHEMA IF NOT EXISTS sluice',
  `CREATE TABLE IF NOT EXISTS sluice.uploads (
    client uuid NOT NULL,
    seq bigint NOT NULL,
    digest uuid NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    outcome json,
    PRIMARY KEY (client, seq, digest))`,
  'CREATE INDEX IF NOT EXISTS uploads_uploaded_at ON sluice.uploads USING brin (uploaded_at)',
  `COMMENT ON TABLE sluice.uploads IS 'Entries that clients have uploaded, so that none is applied twice (outcome null: applied)'`,
];

/** Fails with a unique violation if one of the keys is known, after waiting for who is at it. */
export function insertSeen(keys: readonly WriteKey[]): Statement {
  const [first] = keys;
  if (keys.length === 1 && first !== undefined) {
    return {
      text: 'INSERT INTO sluice.uploads (client, seq, digest) VALUES ($1, $2, $3)',
      values: [first.client, first.seq, first.digest],
    };
  }
  return {
    text: `INSERT INTO sluice.uploads (client, seq, digest) SELECT * FROM ${KEYS}`,
    values: keyArrays(keys),
  };
}

/** Gives back the keys that were not known. */
export function claimSeen(keys: readonly WriteKey[]): Statement {
  return {
    text: `INSERT INTO sluice.uploads (client, seq, digest) SELECT * FROM ${KEYS}
      ON CONFLICT DO NOTHING RETURNING client, seq, digest`,
    values: keyArrays(keys),
  };
}

export function selectSeen(keys: readonly WriteKey[]): Statement {
  return {
    text: `SELECT client, seq, digest, outcome FROM sluice.uploads
      JOIN ${KEYS} USING (client, seq, digest)`,
    values: keyArrays(keys),
  };
}

export function noteOutcomes(outcomes: ReadonlyMap<WriteKey, RefusedOutcome>): Statement {
  const texts = [...outcomes.values()].map(({ status, code, message, sqlState }) =>
    JSON.stringify({ status, code, message, sqlState }),
  );
  return {
    text: `UPDATE sluice.uploads u SET outcome = k.outcome::json
      FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[]) AS k(client, seq, digest, outcome)
      WHERE u.client = k.client AND u.seq = k.seq AND u.digest = k.digest`,
    values: [...keyArrays([...outcomes.keys()]), arrayOf(texts)],
  };
}

/** Forgets some of what is older than `days`; repeat while it changes as many as `limit`. */
export function pruneSeen(days: number, limit: number): Statement {
  return {
    text: `DELETE FROM sluice.uploads WHERE ctid IN (SELECT ctid FROM sluice.uploads
      WHERE uploaded_at < now() - make_interval(days => $1) LIMIT $2)`,
    values: [String(days), String(limit)],
  };
}

type TextRow = readonly (string | null)[];

/** The outcomes of rows of `selectSeen`, by key. */
export function seenOutcomes(
  keys: readonly WriteKey[],
  rows: readonly TextRow[],
): ReadonlyMap<WriteKey, WriteOutcome> {
  const byName = new Map(rows.map((row) => [nameOf(row), row[3] ?? null]));
  const found = new Map<WriteKey, WriteOutcome>();
  for (const key of keys) {
    const outcome = byName.get(keyName(key));
    if (outcome === undefined) continue;
    const recorded: WriteOutcome =
      outcome === null ? { status: 'ok' } : (parseExactJson(outcome) as RefusedOutcome);
    found.set(key, { ...recorded, isRepeated: true });
  }
  return found;
}

/** The keys that are not among rows of `claimSeen`. */
export function unclaimed(keys: readonly WriteKey[], rows: readonly TextRow[]): WriteKey[] {
  const claimed = new Set(rows.map(nameOf));
  return keys.filter((key) => !claimed.has(keyName(key)));
}

function keyName({ client, seq, digest }: WriteKey): string {
  return `${client} ${seq} ${digest}`;
}

function nameOf([client, seq, digest]: TextRow): string {
  const plain = (uuid: string | null | undefined) => (uuid ?? '').replaceAll('-', '');
  return `${plain(client)} ${seq} ${plain(digest)}`;
}

const KEYS = 'unnest($1::uuid[], $2::bigint[], $3::uuid[]) AS k(client, seq, digest)';

function keyArrays(keys: readonly WriteKey[]): string[] {
  return [
    `{${keys.map((key) => key.client).join(',')}}`,
    `{${keys.map((key) => key.seq).join(',')}}`,
    `{${keys.map((key) => key.digest).join(',')}}`,
  ];
}
