// `npm run bench -- [--rows N] [--only latency|streaming|download|evaluation] [--write-baseline]`
import { spawnSync } from 'node:child_process';

const isEvaluation = process.argv[process.argv.indexOf('--only') + 1] === 'evaluation';
const script = isEvaluation ? 'bench/evaluation.ts' : 'bench/main.ts';
const build = spawnSync('npx', ['tsc', '-b'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);
const args = ['-C', '@sluice/source', '--import', 'tsx', script, ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
