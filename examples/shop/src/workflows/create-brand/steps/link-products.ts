import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import { ContainerRegistrationKeys, MedusaError, Modules } from '@medusajs/framework/utils';
import { createStep, StepResponse } from '@medusajs/framework/workflows-sdk';
import { BRAND_MODULE } from '../../../modules/brand';

export interface LinkProductsInput {
  brand_id: string;
  product_ids: string[];
}

const by = 'src/workflows/create-brand/steps/link-products.ts';

export const linkProductsStep = createStep(
  'link-products-step',
  async ({ brand_id, product_ids }: LinkProductsInput, { container }) => {
    const products = await container
      .resolve(Modules.PRODUCT)
      .listProducts({ id: product_ids }, { select: ['id'] });
    if (products.length < product_ids.length) {
      throw new MedusaError(
        MedusaError.Types.NOT_FOUND,
        `Only ${products.length} of ${product_ids.length} products exist.`,
      );
    }
    const links = product_ids.map((product_id) => ({
      [Modules.PRODUCT]: { product_id },
      [BRAND_MODULE]: { brand_id },
    }));
    await container.resolve(ContainerRegistrationKeys.LINK).create(links);
    record({ by, version: 'v1', note: `linked ${links.length} products` });
    return new StepResponse(undefined, links);
  },
  async (links, { container }) => {
    if (!links?.length) {
      return;
    }
    await container.resolve(ContainerRegistrationKeys.LINK).dismiss(links);
    record({ by, version: 'v1', note: 'compensated' });
  },
);

countEvaluation(by);
