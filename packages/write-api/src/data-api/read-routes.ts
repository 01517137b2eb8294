import { AppError, type JsonValue } from '@sluice/base';
import { readJsonBody } from '../http/read-body.ts';
import type { Route } from '../http/route.ts';
import { encodeCursor, type CursorValues } from './cursor.ts';
import type { DataReader } from './data-store.ts';
import { parseJsonQuery } from './parse-json-query.ts';
import { parseAggregateQuery, parseRowQuery } from './parse-url-query.ts';
import { aggregateStatement, fullOrder, idColumn, rowStatement } from './query-sql.ts';
import { type AggregateQuery, type Condition, type Ordering, type RowQuery } from './row-query.ts';
import type { DataCaller } from './service-tokens.ts';

export interface ReadRoutesOptions {
  readonly reader: DataReader;
  readonly authenticate: (request: Request) => Promise<DataCaller>;
  readonly maxBodyBytes: number;
}

/**
 * `GET /data/:table`, `/data/:table/:id`, `/data/:table/aggregate`, and `POST /data/query` for what an
 * URL is too short for. 200 `{rows, next?, count?}`; `next` goes on where the rows end, as `after`.
 */
export function readRoutes({
  reader,
  authenticate,
  maxBodyBytes,
}: ReadRoutesOptions): readonly Route[] {
  const paramsOf = (request: Request) => new URL(request.url).searchParams;
  return [
    {
      method: 'POST',
      path: '/data/query',
      async handle(request) {
        const who = await authenticate(request);
        const body = (await readJsonBody(request, maxBodyBytes)) as JsonValue;
        const parsed = parseJsonQuery(body);
        return parsed.kind === 'rows'
          ? readRows(reader, who, parsed.query)
          : readAggregate(reader, who, parsed.query);
      },
    },
    {
      method: 'GET',
      path: '/data/:table',
      async handle(request, { table = '' }) {
        const who = await authenticate(request);
        return readRows(reader, who, parseRowQuery(table, paramsOf(request)));
      },
    },
    {
      method: 'GET',
      path: '/data/:table/aggregate',
      async handle(request, { table = '' }) {
        const who = await authenticate(request);
        return readAggregate(reader, who, parseAggregateQuery(table, paramsOf(request)));
      },
    },
    {
      method: 'GET',
      path: '/data/:table/:id',
      async handle(request, { table = '', id = '' }) {
        const who = await authenticate(request);
        const { select } = parseRowQuery(table, paramsOf(request));
        return jsonText(await readRow(reader, who, { table, id, select }));
      },
    },
  ];
}

/** @throws AppError `DATA_ROW_MISSING`, also for a row that the caller may not see. */
async function readRow(
  reader: DataReader,
  who: DataCaller,
  {
    table,
    id,
    select,
  }: { readonly table: string; readonly id: string; readonly select: RowQuery['select'] },
): Promise<string> {
  const [result] = await reader.read(table, who, (definition, filter) =>
    rowStatement(
      { ...singleRow(table, idIs(idColumn(definition).name, id)), select },
      definition,
      filter,
    ),
  );
  const text = String(result?.['rows']);
  // The list has one row, or none.
  if (text !== '[]') return text.slice(1, -1);
  throw new AppError('DATA_ROW_MISSING', `There is no row ${JSON.stringify(id)} in ${table}`);
}

export function idIs(column: string, id: string): Condition {
  return { kind: 'compare', column, op: 'eq', value: id };
}

function singleRow(table: string, where: Condition): RowQuery {
  return {
    table,
    select: undefined,
    where,
    order: [],
    limit: 1,
    offset: 0,
    after: undefined,
    count: false,
  };
}

async function readRows(reader: DataReader, who: DataCaller, query: RowQuery): Promise<Response> {
  let order: readonly Ordering[] = [];
  const [result] = await reader.read(query.table, who, (table, filter) => {
    order = fullOrder(query.order, table);
    return rowStatement(query, table, filter);
  });
  const isFull = Number(result?.['row_count']) === query.limit && query.limit > 0;
  const cursor = isFull ? (JSON.parse(String(result?.['cursor'])) as CursorValues) : undefined;
  const next = cursor === undefined ? 'null' : JSON.stringify(encodeCursor(order, cursor));
  const count = query.count ? `,"count":${String(result?.['total'])}` : '';
  // As the database wrote it: numbers of any size stay exact.
  return jsonText(`{"rows":${String(result?.['rows'])},"next":${next}${count}}`);
}

async function readAggregate(
  reader: DataReader,
  who: DataCaller,
  query: AggregateQuery,
): Promise<Response> {
  const [result] = await reader.read(query.table, who, (table, filter) =>
    aggregateStatement(query, table, filter),
  );
  return jsonText(`{"rows":${String(result?.['rows'])}}`);
}

function jsonText(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } });
}
