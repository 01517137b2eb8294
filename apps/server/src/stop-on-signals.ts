import type { Service } from './service.ts';

/** Ends the process even if something hangs. */
const FORCED_EXIT_MS = 20_000;

/**
 * Stops the service at SIGTERM or SIGINT and exits with code 0; a second signal exits at once with
 * code 1.
 */
export function stopOnSignals(service: Service): void {
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    setTimeout(() => process.exit(1), FORCED_EXIT_MS).unref();
    void service.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
