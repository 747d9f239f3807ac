import { countEvaluation } from '@lib/evaluations';
import { createWorkflow, transform, WorkflowResponse } from '@medusajs/framework/workflows-sdk';
import { praiseStep } from './steps/praise';

export interface MakeSloganInput {
  name: string;
}

export const makeSloganWorkflow = createWorkflow('make-slogan', (input: MakeSloganInput) => {
  const praise = praiseStep(input);
  const slogan = transform({ praise }, ({ praise }) => `${praise}.`);

  return new WorkflowResponse({ slogan });
});

countEvaluation('src/workflows/make-slogan/workflow.ts');
