import { connect } from 'node:net';
import { silentLogger, type LogFacts } from '@sluice/base';
import { expect, it, onTestFinished, vi } from 'vitest';
import { listenScripted } from '../testing/listen-scripted.ts';
import { ScriptedBackend } from '../testing/scripted-backend.ts';

it('drops a client that takes nothing, says why in the log, and leaves others alone', async () => {
  const logged: [string, LogFacts | undefined][] = [];
  const backend = new ScriptedBackend();
  const server = await listenScripted({
    limits: { maxConcurrentConnections: 3, maxBytesInFlight: 1 << 28, slowClientTimeoutMs: 300 },
    backend,
    logger: { ...silentLogger, warn: (event, facts) => void logged.push([event, facts]) },
  });
  onTestFinished(() => server.close(0));
  const chunk = Buffer.alloc(1024 * 1024);
  backend.stream = async function* ({ request, signal }) {
    yield [Buffer.from('line\n')];
    if (request.clientId === 'idle') {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
    while (!signal.aborted) yield [chunk];
  };
  const idle = await fetch(`${server.url}/sync/stream?client_id=idle`, {
    method: 'POST',
    headers: { authorization: 'Token good' },
  });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.pause();
  socket.write('POST /sync/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Token good\r\n\r\n');
  await vi.waitFor(() => expect(server.streams.closed.client_too_slow).toBe(1), 10_000);
  await vi.waitFor(() => expect(server.streamCount).toBe(1), 5000);
  expect(server.bytesInFlight).toBe(0);
  expect(logged).toContainEqual([
    'stream_closed',
    expect.objectContaining({ code: 'SYNC_CLIENT_TOO_SLOW' }),
  ]);
  await idle.body?.cancel();
});
