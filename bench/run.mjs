// `npm run bench -- [--rows N] [--only WORKLOAD] [--write-baseline]`; see README.md
import { spawnSync } from 'node:child_process';

const only = process.argv[process.argv.indexOf('--only') + 1];
const HUB = [
  'idle',
  'fanout',
  'single',
  'reconnect',
  'storm',
  'many-buckets',
  'compaction',
  'big-transaction',
];
const own = ['evaluation', 'deploy', 'uploads', 'client', 'client-web'].includes(only)
  ? only
  : HUB.includes(only)
    ? 'hub'
    : 'main';
const script = `bench/${own}.ts`;
const build = spawnSync('npx', ['tsc', '-b'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);
const args = ['-C', '@sluice/source', '--import', 'tsx', script, ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
