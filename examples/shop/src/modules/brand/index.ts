import { countEvaluation } from '@lib/evaluations';
import { Module } from '@medusajs/framework/utils';
import checkOptions from './loaders/check-options';
import BrandModuleService from './service';

export const BRAND_MODULE = 'brand';

export default Module(BRAND_MODULE, {
  service: BrandModuleService,
  loaders: [checkOptions],
});

countEvaluation('src/modules/brand/index.ts');
