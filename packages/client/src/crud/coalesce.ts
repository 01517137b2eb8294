/** An entry of the queue as it is stored. */
export interface StoredEntry {
  readonly id: number;
  /** Entries of one transaction stand side by side; null: it stands alone. */
  readonly transactionId: number | null;
  /** JSON as in spec/client.md 2.5. */
  readonly data: string;
}

/**
 * Merges entries that stand side by side and are of the same row, so that fewer are sent (spec/client.md 3, upload engine); the first one's
 * place and id stay. Nothing changes places, as one row may need another one to be there first. Transactions are merged only if each has
 * nothing but that row, so that what belongs together stays so. Metadata is of one write: entries with different metadata stay apart.
 *
 * An insertion that is deleted again becomes a deletion, as the server may have had a row in its place (REPLACE).
 */
export function coalesced(entries: readonly StoredEntry[]): readonly StoredEntry[] {
  const transactions: StoredEntry[][] = [];
  for (const entry of entries) {
    const current = transactions.at(-1);
    const isSame =
      entry.transactionId !== null && current?.[0]?.transactionId === entry.transactionId;
    if (current === undefined || !isSame) transactions.push([entry]);
    else append(current, entry);
  }
  const merged: StoredEntry[][] = [];
  for (const transaction of transactions) {
    const before = merged.at(-1);
    const [entry] = transaction;
    const isSingle = before?.length === 1 && transaction.length === 1 && entry !== undefined;
    if (!isSingle || !append(before, entry)) merged.push(transaction);
  }
  return merged.flat();
}

/** Whether it was merged into the last one. */
function append(entries: StoredEntry[], entry: StoredEntry): boolean {
  const last = entries.at(-1);
  const data = last && mergedData(membersOf(last.data), membersOf(entry.data));
  if (last === undefined || data === undefined) {
    entries.push(entry);
    return false;
  }
  entries[entries.length - 1] = { ...last, data };
  return true;
}

/** JSON texts by the JSON text of their name, so that every number stays as it is written. */
type Members = ReadonlyMap<string, string>;

const SCALAR = String.raw`"(?:[^"\\]|\\.)*"|[^,{}"\s]+`;
const MEMBER = new RegExp(
  String.raw`("(?:[^"\\]|\\.)*"):(\{(?:"(?:[^"\\]|\\.)*":(?:${SCALAR}),?)*\}|${SCALAR})`,
  'g',
);

/** Of an object whose values are scalars, or objects of such. */
function membersOf(object: string): Members {
  const members = object.slice(1, -1).matchAll(MEMBER);
  return new Map(Array.from(members, ([, name = '', value = '']) => [name, value]));
}

/** Undefined: they stay apart. */
function mergedData(first: Members, second: Members): string | undefined {
  const isSame = ['"type"', '"id"', '"metadata"'].every(
    (name) => first.get(name) === second.get(name),
  );
  const op = isSame ? MERGED_OPS[`${first.get('"op"')}${second.get('"op"')}`] : undefined;
  if (op === undefined) return undefined;
  const changes = new Map([...valuesOf(first, '"data"'), ...valuesOf(second, '"data"')]);
  // Of the columns that changed twice, what was before both.
  const old = new Map([...valuesOf(second, '"old"'), ...valuesOf(first, '"old"')]);
  const members: readonly [name: string, json: string | undefined][] = [
    ['"op"', op],
    ['"id"', first.get('"id"')],
    ['"type"', first.get('"type"')],
    [
      '"data"',
      op === DELETE ? undefined : objectOf(byName(op === PUT ? present(changes) : changes)),
    ],
    ['"old"', op === PUT || !second.has('"old"') ? undefined : objectOf([...old])],
    ['"metadata"', first.get('"metadata"')],
  ];
  return objectOf(members.filter((member): member is [string, string] => member[1] !== undefined));
}

const PUT = '"PUT"';
const DELETE = '"DELETE"';
const MERGED_OPS: Readonly<Record<string, string | undefined>> = {
  '"PUT""PATCH"': PUT,
  '"PATCH""PATCH"': '"PATCH"',
  '"PUT""DELETE"': DELETE,
  '"PATCH""DELETE"': DELETE,
};

function valuesOf(members: Members, name: string): Members {
  const object = members.get(name);
  return object === undefined ? new Map() : membersOf(object);
}

/** An insertion has the columns that are not null. */
function present(values: Members): Members {
  return new Map([...values].filter(([, json]) => json !== 'null'));
}

function byName(values: Members): readonly (readonly [string, string])[] {
  const named = [...values].map((member) => ({ member, name: JSON.parse(member[0]) as string }));
  return named.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ member }) => member);
}

function objectOf(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, json]) => `${name}:${json}`).join(',')}}`;
}
