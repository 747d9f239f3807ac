import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import { titleCase } from '@lib/title-case';
import type { MedusaContainer } from '@medusajs/framework/types';
import { BRAND_MODULE } from '../modules/brand';
import type BrandModuleService from '../modules/brand/service';

const by = 'src/jobs/count-brands.ts';

export default async function countBrands(container: MedusaContainer): Promise<void> {
  const brands = container.resolve<BrandModuleService>(BRAND_MODULE);
  const [, count] = await brands.listAndCountBrands({}, { take: 1 });
  record({ by, version: 'v1', note: titleCase(`${count} brands`) });
}

export const config = {
  name: 'count-brands',
  schedule: '*/2 * * * * *',
};

countEvaluation(by);
