import { countEvaluation } from '@lib/evaluations';
import { titleCase } from '@lib/title-case';

/** How a brand is written wherever people see it. */
export function brandLabel(name: string): string {
  return `“${titleCase(name)}”`;
}

countEvaluation('src/lib/brand-label.ts');
