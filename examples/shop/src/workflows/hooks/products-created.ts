import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils';
import { StepResponse } from '@medusajs/framework/workflows-sdk';
import { createProductsWorkflow } from '@medusajs/medusa/core-flows';
import { BRAND_MODULE } from '../../modules/brand';

const by = 'src/workflows/hooks/products-created.ts';

createProductsWorkflow.hooks.productsCreated(
  async ({ products, additional_data }, { container }) => {
    record({ by, version: 'v1', note: products.map(({ title }) => title).join(', ') });

    const brand_id = additional_data?.brand_id;
    const links =
      typeof brand_id === 'string'
        ? products.map(({ id }) => ({
            [Modules.PRODUCT]: { product_id: id },
            [BRAND_MODULE]: { brand_id },
          }))
        : [];
    await container.resolve(ContainerRegistrationKeys.LINK).create(links);
    return new StepResponse(links, links);
  },
  async (links, { container }) => {
    if (links?.length) {
      await container.resolve(ContainerRegistrationKeys.LINK).dismiss(links);
    }
  },
);

countEvaluation(by);
