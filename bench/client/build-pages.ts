import path from 'node:path';
import { build } from 'vite';

const PAGES = path.join(import.meta.dirname, 'page');

/** A page for each client, built for production over the built packages. */
export async function buildPages(outDir: string): Promise<void> {
  await build({
    root: PAGES,
    configFile: false,
    logLevel: 'error',
    base: './',
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      rollupOptions: {
        input: ['sluice', 'powersync'].map((name) => path.join(PAGES, `${name}.html`)),
      },
    },
    worker: { format: 'es' },
  });
}
