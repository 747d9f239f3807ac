import { countEvaluation } from '@lib/evaluations';

export function titleCase(text: string): string {
  return text
    .split(/\s+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
}

countEvaluation('src/lib/title-case.ts');
