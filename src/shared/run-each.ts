/**
 * Runs all tasks, one after another, even if some of them fail.
 * @throws the error, or an AggregateError of several
 */
export async function runEach(tasks: Iterable<() => unknown>): Promise<void> {
  const errors: unknown[] = [];
  for (const task of tasks) {
    try {
      await task();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 1) {
    throw new AggregateError(errors, errors.map(String).join('\n'));
  }
  if (errors.length > 0) {
    throw errors[0];
  }
}
