import type { SeededRandom, SimulatedDatabase } from '@sluice/testing';

export const USERS = ['ann', 'bob'] as const;
export const TABLES = ['notes', 'lines', 'tags', 'peers'] as const;

/** The rows of all tables at some moment, by name. */
export type DatabaseState = ReadonlyMap<string, readonly (readonly unknown[])[]>;

/** A stream, and what it stands for. */
interface SampleStream {
  readonly name: string;
  readonly query: string;
  readonly tables: readonly string[];
  /** `<object type> <data>` of each row that the user may see. */
  readonly entitled: (state: DatabaseState, user: string) => string[];
}

const rowsOf = (state: DatabaseState, table: string) => state.get(table) ?? [];
const row = (type: string, data: object) => `${type} ${JSON.stringify(data)}`;

const STREAMS: readonly SampleStream[] = [
  {
    name: 'notes',
    query: 'SELECT id, owner, text FROM notes WHERE owner = auth.user_id()',
    tables: ['notes'],
    entitled: (state, user) =>
      rowsOf(state, 'notes')
        .filter(([, owner]) => owner === user)
        .map(([id, owner, text]) => row('notes', { id, owner, text })),
  },
  {
    name: 'notes',
    query: 'SELECT id, text, 1 AS n FROM notes WHERE owner = auth.user_id()',
    tables: ['notes'],
    entitled: (state, user) =>
      rowsOf(state, 'notes')
        .filter(([, owner]) => owner === user)
        .map(([id, , text]) => row('notes', { id, text, n: 1 })),
  },
  {
    name: 'lines',
    query: 'SELECT line AS id, owner FROM lines WHERE owner = auth.user_id()',
    tables: ['lines'],
    entitled: (state, user) =>
      rowsOf(state, 'lines')
        .filter(([, owner]) => owner === user)
        .map(([id, owner]) => row('lines', { id, owner })),
  },
  {
    name: 'tags',
    query: 'SELECT id, kind FROM tags',
    tables: ['tags'],
    entitled: (state) => rowsOf(state, 'tags').map(([id, , kind]) => row('tags', { id, kind })),
  },
  {
    name: 'tags',
    query: 'SELECT id, owner, kind FROM tags WHERE owner = auth.user_id()',
    tables: ['tags'],
    entitled: (state, user) =>
      rowsOf(state, 'tags')
        .filter(([, owner]) => owner === user)
        .map(([id, owner, kind]) => row('tags', { id, owner, kind })),
  },
  {
    name: 'peer_notes',
    query:
      'SELECT id, text FROM notes WHERE owner IN (SELECT peer FROM peers WHERE me = auth.user_id())',
    tables: ['notes', 'peers'],
    entitled: (state, user) => {
      const peers = new Set(
        rowsOf(state, 'peers').flatMap(([, me, peer]) => (me === user ? [peer] : [])),
      );
      return rowsOf(state, 'notes')
        .filter(([, owner]) => peers.has(owner))
        .map(([id, , text]) => row('notes', { id, text }));
    },
  },
];

/** Streams that make a config; each name once. */
export class SampleConfig {
  readonly streams: readonly SampleStream[];
  readonly text: string;

  constructor(streams: readonly SampleStream[], options = '') {
    this.streams = streams;
    const parts = streams.map(
      ({ name, query }) => `  ${name}:\n    auto_subscribe: true\n    query: ${query}\n`,
    );
    this.text = `config:\n  edition: 3\n${options}streams:\n${parts.join('')}`;
  }

  /** The streams at these places of the sample. */
  static of(...places: readonly number[]): SampleConfig {
    return new SampleConfig(places.flatMap((place) => STREAMS[place] ?? []));
  }

  static random(random: SeededRandom): SampleConfig {
    const streams = new Map<string, SampleStream>();
    const count = 1 + random.int(4);
    for (let i = 0; i < count; i += 1) {
      const stream = random.pick(STREAMS);
      streams.set(stream.name, stream);
    }
    const options = random.chance(0.1) ? '  timestamps_iso8601: false\n' : '';
    return new SampleConfig([...streams.values()], options);
  }

  /** What the user's client must hold, as `visibleRows` has it. */
  entitled(state: DatabaseState, user: string): string[] {
    const rows = this.streams.flatMap((stream) =>
      // A client holds equal rows of a bucket once.
      [...new Set(stream.entitled(state, user))].map((one) => `${stream.name}: ${one}`),
    );
    return rows.toSorted();
  }
}

const COLUMNS = {
  notes: ['id', 'owner', 'text'],
  lines: ['line', 'owner'],
  tags: ['id', 'owner', 'kind'],
  peers: ['id', 'me', 'peer'],
};

export function createTable(database: SimulatedDatabase, name: (typeof TABLES)[number]): void {
  database.createTable(name, COLUMNS[name], name === 'lines');
}

/** One random transaction over all tables that are there under their own name. */
export function writeSome(database: SimulatedDatabase, random: SeededRandom): void {
  const present = new Set(database.tables.map(({ name }) => name));
  const names = TABLES.filter((name) => present.has(name));
  database.transaction((writer) => {
    const changes = 1 + random.int(6);
    for (let i = 0; i < changes && names.length > 0; i += 1) {
      const table = random.pick(names);
      const rows = database.rows(table);
      const at = random.int(Math.max(1, rows.length));
      const roll = random.next();
      if (rows.length === 0 || roll < 0.45) writer.insert(table, newRow(table, random));
      else if (roll < 0.65) {
        const id = rows[at]?.[0] ?? null;
        const [newId = null, ...rest] = newRow(table, random);
        writer.update(table, at, [random.chance(0.2) ? newId : id, ...rest]);
      } else if (roll < 0.97) writer.delete(table, at);
      else writer.truncate(table);
    }
  });
}

function newRow(table: (typeof TABLES)[number], random: SeededRandom): string[] {
  const owner = random.pick(USERS);
  switch (table) {
    case 'lines':
      return [`line ${random.int(6)}`, owner];
    case 'peers':
      return [random.uuid(), owner, random.pick(USERS)];
    case 'notes':
    case 'tags':
      return [random.uuid(), owner, `v${random.int(1e6)}`];
  }
}
