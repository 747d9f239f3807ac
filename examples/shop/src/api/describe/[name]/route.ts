import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { BRAND_MODULE } from '../../../modules/brand';
import type BrandModuleService from '../../../modules/brand/service';

export function GET(req: MedusaRequest, res: MedusaResponse): void {
  const brands = req.scope.resolve<BrandModuleService>(BRAND_MODULE);
  res.json({ description: brands.describe(String(req.params.name)) });
}

countEvaluation('src/api/describe/[name]/route.ts');
