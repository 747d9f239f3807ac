import { countEvaluation } from '@lib/evaluations';
import { words } from '@lib/words';

export function salutation(): string {
  return words.hello;
}

countEvaluation('src/lib/salutation.ts');
