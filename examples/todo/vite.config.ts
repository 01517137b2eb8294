import { defineConfig } from 'vite';

export default defineConfig({
  build: { target: 'es2022' },
  // `npx vite` beside a running `npm start`: the service's routes come from there.
  server: {
    proxy: Object.fromEntries(
      ['/sync', '/upload', '/token', '/write-checkpoint2.json'].map((path) => [
        path,
        { target: process.env['SLUICE_URL'] ?? 'http://localhost:8080', ws: true },
      ]),
    ),
  },
});
