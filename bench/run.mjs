// `npm run bench -- [--rows N] [--only latency|streaming|download] [--write-baseline]`
import { spawnSync } from 'node:child_process';

const build = spawnSync('npx', ['tsc', '-b'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);
const args = ['-C', '@sluice/source', '--import', 'tsx', 'bench/main.ts', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
