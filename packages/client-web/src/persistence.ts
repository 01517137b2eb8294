/**
 * Asks the browser not to throw the app's data away when storage runs short, or (Safari) after seven days without a visit. Browsers decide by
 * how the app is used, or ask the user; best called after the user did something that is worth keeping.
 *
 * Returns whether the data is safe from that.
 */
export async function requestPersistence(): Promise<boolean> {
  const storage = navigator.storage as StorageManager | undefined;
  if (storage?.persist === undefined) return false;
  return (await storage.persisted()) || (await storage.persist());
}
