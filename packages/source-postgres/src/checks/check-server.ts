import type { SourceCheck } from '@sluice/source';
import { quoteName } from '../connect/quoting.ts';
import { ok, NOTHING_TO_DO, type CheckContext } from './check-context.ts';

const OLDEST = 140_000;
const NEWEST_TRIED_MAJOR = 18;
const RESTART = 'Then restart PostgreSQL, for example: sudo systemctl restart postgresql';

export function checkVersion({ version }: CheckContext): SourceCheck {
  const name = 'server_version';
  const major = Math.floor(version / 10_000);
  if (version < OLDEST) {
    return {
      name,
      status: 'problem',
      message: `PostgreSQL ${major} is too old; 14 to ${NEWEST_TRIED_MAJOR} are supported`,
      remedy: ['Upgrade the database to PostgreSQL 14 or newer'],
    };
  }
  if (major > NEWEST_TRIED_MAJOR) {
    return {
      name,
      status: 'warning',
      message: `PostgreSQL ${major} is newer than what this version was tried with`,
      remedy: NOTHING_TO_DO,
    };
  }
  return ok(name, `PostgreSQL ${major}`);
}

export async function checkPrimary({ pool }: CheckContext): Promise<SourceCheck> {
  const [row] = await pool.query<{ standby: boolean }>(
    'Checking for a standby',
    'SELECT pg_is_in_recovery() AS standby',
  );
  if (!row?.standby) return ok('primary', 'The server is a primary');
  return {
    name: 'primary',
    status: 'problem',
    message: 'The server is a read-only standby, which cannot be followed',
    remedy: ['Connect to the primary instead'],
  };
}

export async function checkWalLevel({ pool, role }: CheckContext): Promise<SourceCheck> {
  const name = 'wal_level';
  const settings = await readSettings(pool, ['wal_level', 'rds.logical_replication']);
  const level = settings.get('wal_level') ?? '';
  if (level === 'logical') return ok(name, 'wal_level is logical');
  if (settings.has('rds.logical_replication')) {
    return {
      name,
      status: 'problem',
      message: `wal_level is ${level}, it must be logical`,
      remedy: [
        'Set rds.logical_replication = 1 in the parameter group of the instance',
        'Then reboot the instance',
      ],
    };
  }
  const sql = 'ALTER SYSTEM SET wal_level = logical';
  return {
    name,
    status: 'problem',
    message: `wal_level is ${level}, it must be logical`,
    remedy: [`${sql};`, RESTART],
    fix: role.isSuperuser ? [sql] : undefined,
  };
}

/** Free slots. A slot of ours counts as free for one generation: that one can be taken up again. */
export async function checkSlots(context: CheckContext): Promise<SourceCheck> {
  const [row] = await context.pool.query<{ limit: number; used: number; ours: number }>(
    'Counting replication slots',
    `SELECT current_setting('max_replication_slots')::int AS limit,
       (SELECT count(*)::int FROM pg_catalog.pg_replication_slots) AS used,
       (SELECT count(*)::int FROM pg_catalog.pg_replication_slots
        WHERE starts_with(slot_name::text, $1) AND database = current_database()) AS ours`,
    [context.slotNamePrefix],
  );
  const { limit, used, ours } = row ?? { limit: 0, used: 0, ours: 0 };
  return spare(context, {
    name: 'replication_slots',
    setting: 'max_replication_slots',
    things: 'replication slots',
    limit,
    used,
    needed: 1,
    hasOurs: ours > 0,
    more: [
      'Or drop one that nobody needs; to see them: ' +
        'SELECT slot_name, active, restart_lsn FROM pg_replication_slots;',
    ],
  });
}

export async function checkWalSenders(context: CheckContext): Promise<SourceCheck> {
  const [row] = await context.pool.query<{ limit: number; used: number; ours: number }>(
    'Counting WAL senders',
    `SELECT current_setting('max_wal_senders')::int AS limit,
       (SELECT count(*)::int FROM pg_catalog.pg_stat_replication) AS used,
       (SELECT count(*)::int FROM pg_catalog.pg_replication_slots
        WHERE starts_with(slot_name::text, $1) AND active) AS ours`,
    [context.slotNamePrefix],
  );
  const { limit, used, ours } = row ?? { limit: 0, used: 0, ours: 0 };
  return spare(context, {
    name: 'wal_senders',
    setting: 'max_wal_senders',
    things: 'WAL senders',
    limit,
    used,
    needed: 1,
    hasOurs: ours > 0,
    more: [],
  });
}

interface SpareOptions {
  readonly name: string;
  readonly setting: string;
  readonly things: string;
  readonly limit: number;
  readonly used: number;
  readonly needed: number;
  readonly hasOurs: boolean;
  readonly more: readonly string[];
}

/** One is needed; a second one serves a new sync config, and tables without a key. */
function spare({ role }: CheckContext, options: SpareOptions): SourceCheck {
  const { name, setting, things, limit, used, needed, hasOurs, more } = options;
  const free = limit - used;
  const message = `${free} of ${limit} ${things} are free`;
  if (free > needed) return ok(name, message);
  const sql = `ALTER SYSTEM SET ${setting} = ${Math.max(10, limit + 4)}`;
  return {
    name,
    status: free >= needed || hasOurs ? 'warning' : 'problem',
    message: free >= needed ? `${message}; a change of the sync config needs one more` : message,
    remedy: [`${sql};`, RESTART, ...more],
    fix: role.isSuperuser ? [sql] : undefined,
  };
}

export function checkRole({ role }: CheckContext): SourceCheck {
  if (role.mayReplicate) return ok('role_replication', `Role ${role.name} may replicate`);
  return {
    name: 'role_replication',
    status: 'problem',
    message: `Role ${role.name} may not replicate`,
    remedy: [
      `ALTER ROLE ${quoteName(role.name)} REPLICATION;`,
      `On Amazon RDS instead: GRANT rds_replication TO ${quoteName(role.name)};`,
    ],
  };
}

const SMALL_KEEP_MB = 1024;

export async function checkWalKeep({ pool }: CheckContext): Promise<SourceCheck> {
  const name = 'max_slot_wal_keep_size';
  const settings = await readSettings(pool, [name]);
  const megabytes = Number(settings.get(name) ?? '-1');
  const set = `ALTER SYSTEM SET ${name} = '20GB';`;
  const remedy = [set, 'SELECT pg_reload_conf();'];
  if (megabytes < 0) {
    return {
      name,
      status: 'warning',
      message: `${name} is unlimited: while the service is stopped, the log fills the disk`,
      remedy,
    };
  }
  if (megabytes < SMALL_KEEP_MB) {
    return {
      name,
      status: 'warning',
      message: `${name} is only ${megabytes} MB: a short stop of the service can lose the slot, and everything is read again`,
      remedy,
    };
  }
  return ok(name, `${name} is ${megabytes} MB`);
}

/** Settings by name in the unit of pg_settings; those that do not exist are left out. */
async function readSettings(
  pool: CheckContext['pool'],
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await pool.query<{ name: string; setting: string }>(
    'Reading settings',
    'SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY ($1)',
    [names],
  );
  return new Map(rows.map(({ name, setting }) => [name, setting]));
}
