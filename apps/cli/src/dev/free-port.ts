import { createServer } from 'node:net';
import { AppError } from '@sluice/base';

const ATTEMPTS = 20;

/** Whether nothing listens on the port of the loopback interface, by IPv4 or IPv6. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    // A machine without IPv6 answers EADDRNOTAVAIL or the like: nobody else listens there either.
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'),
    );
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

export interface PortChoice {
  readonly port: number;
  /** The wanted port, when it was taken and another one was found instead. */
  readonly insteadOf?: number | undefined;
}

/**
 * A port chosen by the user must be free; a default one may give way to the next free one.
 *
 * @throws AppError `CLI_PORT_IN_USE`
 */
export async function choosePort(wanted: {
  readonly port: number;
  readonly chosenByUser: boolean;
  readonly option: string;
  readonly taken?: ReadonlySet<number> | undefined;
}): Promise<PortChoice> {
  const { port, chosenByUser, option } = wanted;
  if (port === 0) return { port };
  const last = chosenByUser ? port : port + ATTEMPTS;
  for (let candidate = port; candidate <= last; candidate += 1) {
    if (wanted.taken?.has(candidate) || !(await isPortFree(candidate))) continue;
    return candidate === port ? { port } : { port: candidate, insteadOf: port };
  }
  throw new AppError('CLI_PORT_IN_USE', `Another program listens on port ${port}`, {
    remedy: `Stop it, or choose another port with ${option}`,
  });
}
