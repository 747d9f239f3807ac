import { countEvaluation } from '@lib/evaluations';

export const words = {
  hello: 'Hello',
};

countEvaluation('src/lib/words.ts');
