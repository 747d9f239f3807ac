import { countEvaluation } from '@lib/evaluations';
import { record } from '@lib/journal';
import type { LoaderOptions } from '@medusajs/framework/types';
import { MedusaError } from '@medusajs/framework/utils';
import type { BrandModuleOptions } from '../types';

export default async function checkOptions({
  options,
}: LoaderOptions<BrandModuleOptions>): Promise<void> {
  if (!options?.mark || !options.tagline) {
    throw new MedusaError(
      MedusaError.Types.INVALID_ARGUMENT,
      'The brand module needs the options `mark` and `tagline`: set them in medusa-config.ts.',
    );
  }
  record({
    by: 'src/modules/brand/loaders/check-options.ts',
    version: 'v1',
    note: `tagline: ${options.tagline}`,
  });
}

countEvaluation('src/modules/brand/loaders/check-options.ts');
