import { brandLabel } from '@lib/brand-label';
import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import { createStep, StepResponse } from '@medusajs/framework/workflows-sdk';
import { BRAND_MODULE } from '../../../modules/brand';
import type BrandModuleService from '../../../modules/brand/service';
import type { NewBrand } from '../../../types/brand';

const by = 'src/workflows/create-brand/steps/create-brand.ts';

export const createBrandStep = createStep(
  'create-brand-step',
  async ({ name, country }: NewBrand, { container }) => {
    const brands = container.resolve<BrandModuleService>(BRAND_MODULE);
    const { handle } = brands.describe(name);
    const brand = await brands.createBrands({ name, handle, country });
    record({ by, version: 'v1', note: `created ${brandLabel(name)}` });
    return new StepResponse(brand, brand.id);
  },
  async (brandId, { container }) => {
    if (!brandId) {
      return;
    }
    await container.resolve<BrandModuleService>(BRAND_MODULE).deleteBrands(brandId);
    record({ by, version: 'v1', note: 'compensated' });
  },
);

countEvaluation(by);
