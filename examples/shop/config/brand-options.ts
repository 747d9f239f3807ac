import type { BrandModuleOptions } from '../src/modules/brand/types';

// A function, so that the values of .env are read after loadEnv has run.
export function brandOptions(): BrandModuleOptions {
  return {
    mark: '®',
    tagline: process.env.SHOP_TAGLINE || 'made with care',
  };
}
