import { brandLabel } from '@lib/brand-label';
import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import { createBrandWorkflow } from '../create-brand/workflow';

const by = 'src/workflows/hooks/brand-created.ts';

createBrandWorkflow.hooks.brandCreated(async ({ brand }) => {
  record({ by, version: 'v1', note: brandLabel(brand.name) });
});

countEvaluation(by);
