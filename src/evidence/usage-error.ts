/**
 * The one thing that is thrown on purpose: a mistake of whoever called, such as a profile that does not exist.
 * In: cli/ and the engine throw it. Out: main prints its text and ends with status 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
