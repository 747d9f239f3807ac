import { countEvaluation } from '@lib/evaluations';
import { salutation } from '@lib/salutation';
import { titleCase } from '@lib/title-case';

export function greet(name: string): string {
  return `${salutation()}, ${titleCase(name)}!`;
}

countEvaluation('src/lib/greeting.ts');
