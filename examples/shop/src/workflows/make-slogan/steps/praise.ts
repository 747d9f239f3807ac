import { brandLabel } from '@lib/brand-label';
import { countEvaluation } from '@lib/evaluations';
import { createStep, StepResponse } from '@medusajs/framework/workflows-sdk';

export const praiseStep = createStep('praise-step', async ({ name }: { name: string }) => {
  return new StepResponse(`${brandLabel(name)} is good`);
});

countEvaluation('src/workflows/make-slogan/steps/praise.ts');
