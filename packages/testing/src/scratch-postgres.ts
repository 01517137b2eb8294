import { chmod, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';

/** A PostgreSQL with its data in a temporary folder. Disposing stops it and removes the folder. */
export class ScratchPostgres implements AsyncDisposable {
  /** For more of what the test needs; goes away with the server. */
  readonly folder: string;
  readonly server: LocalPostgres;

  private constructor(folder: string, server: LocalPostgres) {
    this.folder = folder;
    this.server = server;
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<ScratchPostgres> {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-postgres-'));
    await chmod(folder, 0o755); // as root, the server runs as another user and must get in
    const dataDir = path.join(folder, 'data');
    const server = await LocalPostgres.start({ dataDir, fast: true, settings });
    return new ScratchPostgres(folder, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop('immediate');
    for (const entry of await readdir(this.folder, { withFileTypes: true })) {
      // As root, data that could not stay here lives elsewhere, with the binaries beside it.
      if (!entry.isSymbolicLink()) continue;
      const data = await realpath(path.join(this.folder, entry.name));
      await rm(path.dirname(data), { recursive: true, force: true });
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
