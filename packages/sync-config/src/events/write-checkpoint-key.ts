/**
 * The key under which storage keeps a user's write checkpoint, beside the lookups of definitions.
 * None of theirs begins like this: each has a prefix of its own, and goes on with a name.
 *
 * @param prefix of `SyncPlan.writeCheckpoints`, by its hash
 * @param user as `userKeyOf` makes it
 */
export function writeCheckpointKey(prefix: string, user: string): string {
  return `${prefix}@${user}`;
}
