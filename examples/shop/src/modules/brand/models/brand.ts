import { countEvaluation } from '@lib/evaluations';
import { model } from '@medusajs/framework/utils';

export const Brand = model.define('brand', {
  id: model.id({ prefix: 'brand' }).primaryKey(),
  name: model.text().searchable(),
  handle: model.text().unique(),
  country: model.text().nullable(),
});

countEvaluation('src/modules/brand/models/brand.ts');
