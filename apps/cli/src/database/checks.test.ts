import type { SourceCheck } from '@sluice/source';
import { expect, test } from 'vitest';
import { createScreen } from '../terminal/screen.ts';
import { sourceUrl } from './connection-url.ts';
import { fixesOf, printChecks, problemsOf } from './print-checks.ts';

const CHECKS: readonly SourceCheck[] = [
  { name: 'version', status: 'ok', message: 'PostgreSQL 16.4', remedy: [] },
  {
    ...({ name: 'publication', status: 'problem', message: 'There is no publication' } as const),
    remedy: ['CREATE PUBLICATION powersync FOR ALL TABLES;'],
    fix: ['CREATE PUBLICATION powersync FOR ALL TABLES'],
  },
  {
    ...({ name: 'wal_level', status: 'problem', message: 'wal_level is replica' } as const),
    remedy: ['ALTER SYSTEM SET wal_level = logical;', 'then restart the database'],
  },
];

test('each problem is printed with exactly what to run', () => {
  let text = '';
  const screen = createScreen({ write: (part) => (text += part) }, {});
  printChecks(screen, CHECKS, { all: false });
  expect(text).toBe(
    `  ✗ There is no publication (publication)
      CREATE PUBLICATION powersync FOR ALL TABLES;
  ✗ wal_level is replica (wal_level)
      ALTER SYSTEM SET wal_level = logical;
      then restart the database
`,
  );
  expect(problemsOf(CHECKS)).toHaveLength(2);
  expect(fixesOf(CHECKS)).toEqual(['CREATE PUBLICATION powersync FOR ALL TABLES']);
});

test('TLS is verified, except for a database on this machine, unless the URL says otherwise', () => {
  expect(sourceUrl('postgres://me:pw@localhost:5433/app')).toMatch(/app\?sslmode=disable$/);
  expect(sourceUrl('postgresql://me@127.0.0.1/app?sslmode=verify-full')).toMatch(/=verify-full$/);
  expect(sourceUrl('postgresql://me@db.example.com/app')).toMatch(/=verify-full$/);
  expect(() => sourceUrl('me:s3cret@localhost/app')).toThrow(/^(?!.*s3cret)/);
});
