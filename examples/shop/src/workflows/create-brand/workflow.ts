import { countEvaluation } from '@lib/evaluations';
import {
  createHook,
  createWorkflow,
  transform,
  WorkflowResponse,
} from '@medusajs/framework/workflows-sdk';
import { emitEventStep } from '@medusajs/medusa/core-flows';
import type { NewBrand } from '../../types/brand';
import { createBrandStep } from './steps/create-brand';
import { linkProductsStep } from './steps/link-products';

export const createBrandWorkflow = createWorkflow('create-brand', (input: NewBrand) => {
  const brand = createBrandStep(input);
  const links = transform({ brand, input }, ({ brand, input }) => ({
    brand_id: brand.id,
    product_ids: input.product_ids ?? [],
  }));
  linkProductsStep(links);
  emitEventStep({ eventName: 'brand.created', data: { id: brand.id } });
  const brandCreated = createHook('brandCreated', { brand });

  return new WorkflowResponse(brand, { hooks: [brandCreated] });
});

countEvaluation('src/workflows/create-brand/workflow.ts');
