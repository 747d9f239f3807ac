import { expect, test } from 'vitest';
import { skipUnseenDebugLines } from '../../../../src/medusa/speed/debug-lines.ts';

function createReporter(logger: object): { said: unknown[]; debug(message: unknown): void } {
  class Reporter {
    readonly said: unknown[] = [];
    readonly loggerInstance_ = logger;
    debug(message: unknown): void {
      this.said.push(message);
    }
  }
  skipUnseenDebugLines({ requireFrom: () => ({ Reporter }) });
  return new Reporter();
}

test.each([
  [['shown'], { isLevelEnabled: (level: string) => level === 'debug' }],
  [[], { isLevelEnabled: () => false }],
  [['shown'], {}],
])('a debug line is said, %j, where it is seen', (said, logger) => {
  const reporter = createReporter(logger);
  reporter.debug('shown');
  expect(reporter.said).toEqual(said);
});

test('another logger stays as it is', () => {
  skipUnseenDebugLines({ requireFrom: () => ({}) });
});
