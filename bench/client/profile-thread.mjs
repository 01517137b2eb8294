// The `networkModule` of a profiled run: flags of Node.js do not reach the database's thread, so it profiles itself until the thread ends.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import path from 'node:path';

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.start');
process.once('exit', () => {
  session.post('Profiler.stop', (_error, result) => {
    const file = path.join(
      process.env.SLUICE_BENCH_PROFILE ?? '.',
      `sluice-${process.pid}.cpuprofile`,
    );
    writeFileSync(file, JSON.stringify(result.profile));
  });
});
