/** Calls a function of the app; what it throws, and what its promise rejects with, goes to `onError`. */
export function guardedCall(
  call: () => unknown,
  { onError }: { readonly onError: (error: unknown) => void },
): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(onError);
  } catch (error) {
    onError(error);
  }
}
