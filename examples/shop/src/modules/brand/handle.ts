import { countEvaluation } from '@lib/evaluations';

export function toHandle(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

countEvaluation('src/modules/brand/handle.ts');
