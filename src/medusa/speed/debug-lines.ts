import type { MedusaPackages } from '../packages.ts';

interface Reporter {
  loggerInstance_?: { isLevelEnabled?(level: string): boolean };
}
type Debug = (this: Reporter, message: unknown) => void;

/**
 * Does not format debug lines that nobody will see. Medusa's logger gives every line a date before it looks at
 * the level, and a rebuild of the API says 1,200 of them: a quarter of its time.
 * (`cli/dist/reporter/index.js`, class `Reporter`; where it is another, lines are formatted for nothing)
 */
export function skipUnseenDebugLines(packages: Pick<MedusaPackages, 'requireFrom'>): void {
  const { Reporter } = packages.requireFrom(
    '@medusajs/framework',
    '@medusajs/cli/dist/reporter',
  ) as { Reporter?: { prototype: { debug?: Debug } } };
  const original = Reporter?.prototype.debug;
  if (!original) {
    return;
  }
  Reporter.prototype.debug = function (message) {
    if (this.loggerInstance_?.isLevelEnabled?.('debug') ?? true) {
      Reflect.apply(original, this, [message]);
    }
  };
}
