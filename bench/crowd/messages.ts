/** What the process of the crowd is told, one thing at a time. Each is answered by `CrowdAnswer`. */
export type CrowdCommand =
  | {
      readonly kind: 'connect';
      readonly port: number;
      readonly tokens: readonly string[];
      /** Body of the request. */
      readonly body: string;
      readonly gzip: boolean;
      /** Connections on their way at the same time. */
      readonly atOnce: number;
    }
  /** Arms every connection; `arrivals` then tells when each was sent the marker first. */
  | { readonly kind: 'watch'; readonly marker: string }
  | { readonly kind: 'arrivals'; readonly expected: number; readonly timeoutMs: number }
  | { readonly kind: 'close' };

export interface CrowdAnswer {
  /** Milliseconds as `machineMs`, or spans of them. */
  readonly times: readonly number[];
  readonly error?: string | undefined;
}
