import { build } from 'vite';

const PAGE = new URL('./page', import.meta.url).pathname;

/** The test app as Vite builds it, with nothing set that matters for this library. */
export async function buildSite(outDir: string): Promise<void> {
  await build({
    root: PAGE,
    configFile: false,
    logLevel: 'warn',
    base: './',
    build: { outDir, emptyOutDir: true },
  });
}
