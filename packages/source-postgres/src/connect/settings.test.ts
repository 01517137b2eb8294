import { expect, test } from 'vitest';
import { connectionSettings } from './settings.ts';

test('takes the parts of a URI, and what is given beside it first', () => {
  const uri = 'postgresql://us%40er:p%2Fw@db.example:6432/app%20db';
  expect(connectionSettings({ uri, database: 'other' })).toMatchObject({
    host: 'db.example',
    port: 6432,
    user: 'us@er',
    password: 'p/w',
    database: 'other',
    tls: { rejectUnauthorized: true },
  });
  expect(connectionSettings({ uri: 'postgres://u@[::1]/d' })).toMatchObject({
    host: '::1',
    port: 5432,
  });
});

test.each([
  ['verify-full', undefined],
  ['require', undefined],
  ['prefer', undefined],
])('sslmode %s in a URI means verified encryption', (mode) => {
  const settings = connectionSettings({ uri: `postgres://u:p@h/d?sslmode=${mode}` });
  expect(settings.tls).toMatchObject({ rejectUnauthorized: true });
});

test('sslmode disable means no encryption', () => {
  expect(connectionSettings({ uri: 'postgres://u:p@h/d?sslmode=disable' }).tls).toBe(false);
});

const complete = { hostname: 'h', username: 'u', password: 'secret', database: 'd' };

test.each([
  ['hostname', { ...complete, hostname: undefined }],
  ['username', { ...complete, username: '' }],
  ['database', { ...complete, database: undefined }],
  ['port', { ...complete, port: 70_000 }],
  ['uri', { uri: 'mysql://u:secret@h/d' }],
  ['uri', { uri: 'h:secret' }],
  ['cacert', { ...complete, sslmode: 'verify-ca' as const }],
  ['client_certificate', { ...complete, clientCertificate: 'x' }],
])('names the key %s that is missing or wrong, without the password', (key, options) => {
  expect(() => connectionSettings(options)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID_VALUE', details: { key } }),
  );
  expect(() => connectionSettings(options)).not.toThrow(/secret/);
});
