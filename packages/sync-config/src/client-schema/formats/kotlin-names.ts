import { wordSet, type NamingStyle } from './identifiers.ts';

const RESERVED = `
  as break class continue do else false for fun if in interface is null object package return super
  this throw true try typealias typeof val var when while by catch constructor delegate dynamic
  field file finally get import init param property receiver set setparam where it db`;

export function kotlinNames(
  letterCase: 'camel' | 'pascal',
  fallback: string,
  ...ownNames: readonly string[]
): NamingStyle {
  return { letterCase, fallback, reserved: wordSet(RESERVED, ...ownNames) };
}
