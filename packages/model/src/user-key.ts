/**
 * The key that write checkpoints are kept under, U of spec/protocol.md 5.2: the user, with
 * `/<client id>` behind it where there is one. Streams, checkpoint routes and replicated write
 * checkpoints must agree on it.
 */
export function userKeyOf(user: string, clientId: string | undefined): string {
  return clientId ? `${user}/${clientId}` : user;
}
