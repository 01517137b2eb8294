// Builds the todo app into examples/todo/dist, from the sources of the client packages: it need not wait for their build.
// Does nothing when what is there is newer than all of them.
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const todo = path.join(root, 'examples', 'todo');
const result = path.join(todo, 'dist', 'index.html');
const sources = [
  'examples/todo/src',
  'examples/todo/index.html',
  'examples/todo/vite.config.ts',
  'packages/client/src',
  'packages/client-web/src',
  'packages/client-react/src',
  'packages/protocol/src',
  'package-lock.json',
];

if (!isCurrent()) {
  const { build } = await import('vite');
  await build({
    root: todo,
    logLevel: 'warn',
    resolve: { conditions: ['@sluice/source', 'module', 'browser', 'production'] },
  });
}

function isCurrent() {
  if (!existsSync(result)) return false;
  const builtAt = statSync(result).mtimeMs;
  return sources.every((source) => newest(path.join(root, source)) < builtAt);
}

function newest(file) {
  const stats = statSync(file);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(file).map((name) => newest(path.join(file, name))));
}
