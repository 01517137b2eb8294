/** Codes that code branches on. */
export const OK = 0;
export const BUSY = 5;
export const IOERR = 10;
export const FULL = 13;
export const CANTOPEN = 14;
export const ROW = 100;
export const DONE = 101;
export const NOTFOUND = 12;
export const IOERR_SHORT_READ = 522;

/** From 0 on. */
const PRIMARY =
  'OK ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN PROTOCOL EMPTY SCHEMA ' +
  'TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB NOTICE WARNING';

/** An extended code is its primary code plus 256 times its place in the list, from 1 on. */
const EXTENDED: Readonly<Record<string, string>> = {
  ERROR: 'MISSING_COLLSEQ RETRY SNAPSHOT RESERVESIZE KEY UNABLE',
  IOERR:
    'READ SHORT_READ WRITE FSYNC DIR_FSYNC TRUNCATE FSTAT UNLOCK RDLOCK DELETE BLOCKED NOMEM ACCESS CHECKRESERVEDLOCK LOCK CLOSE ' +
    'DIR_CLOSE SHMOPEN SHMSIZE SHMLOCK SHMMAP SEEK DELETE_NOENT MMAP GETTEMPPATH CONVPATH VNODE AUTH BEGIN_ATOMIC COMMIT_ATOMIC ' +
    'ROLLBACK_ATOMIC DATA CORRUPTFS IN_PAGE',
  LOCKED: 'SHAREDCACHE VTAB',
  BUSY: 'RECOVERY SNAPSHOT TIMEOUT',
  CANTOPEN: 'NOTEMPDIR ISDIR FULLPATH CONVPATH DIRTYWAL SYMLINK',
  CORRUPT: 'VTAB SEQUENCE INDEX',
  READONLY: 'RECOVERY CANTLOCK ROLLBACK DBMOVED CANTINIT DIRECTORY',
  CONSTRAINT:
    'CHECK COMMITHOOK FOREIGNKEY FUNCTION NOTNULL PRIMARYKEY TRIGGER UNIQUE VTAB ROWID PINNED DATATYPE',
  AUTH: 'USER',
};

const NAMES = namesByCode();

/** E.g. `SQLITE_CONSTRAINT_UNIQUE` for 2067. */
export function resultCodeName(code: number): string {
  return NAMES.get(code) ?? NAMES.get(code & 0xff) ?? `SQLITE_ERROR_${code}`;
}

function namesByCode(): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [code, name] of PRIMARY.split(' ').entries()) {
    names.set(code, `SQLITE_${name}`);
    const extended = EXTENDED[name]?.split(' ') ?? [];
    for (const [at, more] of extended.entries()) {
      names.set(code + 256 * (at + 1), `SQLITE_${name}_${more}`);
    }
  }
  return names;
}
