/** Turns Ctrl-C and SIGTERM into a signal; the second one ends the process at once. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  /** Runs synchronously before a forced end; for children that would outlive this process. */
  onForce(action: () => void): void;
}

export function catchInterrupts(onFirst: (signalName: string) => void = () => {}): Interrupt {
  const controller = new AbortController();
  const actions: (() => void)[] = [];
  const listener = (name: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      onFirst(name);
      controller.abort(new DOMException(`Stopped by ${name}`, 'AbortError'));
      return;
    }
    for (const action of actions) action();
    process.exit(name === 'SIGINT' ? 130 : 143);
  };
  process.on('SIGINT', listener).on('SIGTERM', listener);
  return {
    signal: controller.signal,
    onForce: (action) => void actions.push(action),
    [Symbol.dispose]: () => void process.off('SIGINT', listener).off('SIGTERM', listener),
  };
}

/** Resolves when the signal fires. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
