import { wordSet, type NamingStyle } from './identifiers.ts';

const RESERVED = `
  abstract as base bool break byte case catch char checked class const continue decimal default
  delegate do double else enum event explicit extern false finally fixed float for foreach goto if
  implicit in int interface internal is lock long namespace new null object operator out override
  params private protected public readonly ref return sbyte sealed short sizeof stackalloc static
  string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using virtual
  void volatile while db`;
const MEMBERS = 'Equals Finalize GetHashCode GetType MemberwiseClone ReferenceEquals ToString';

/** Names of members and classes; `ownNames` are what the file uses itself. */
export function dotnetNames(fallback: string, ...ownNames: readonly string[]): NamingStyle {
  return { letterCase: 'pascal', fallback, reserved: wordSet(MEMBERS, ...ownNames) };
}

export const DOTNET_ARGUMENTS: NamingStyle = {
  letterCase: 'camel',
  fallback: 'parameter',
  reserved: wordSet(RESERVED),
};
