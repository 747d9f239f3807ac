import { countEvaluation } from '@lib/evaluations';
import type { AuthenticatedMedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { BRAND_MODULE } from '../../../modules/brand';
import type BrandModuleService from '../../../modules/brand/service';
import { createBrandWorkflow } from '../../../workflows/create-brand/workflow';
import type { NewBrand } from '../../validators';

export async function GET(req: AuthenticatedMedusaRequest, res: MedusaResponse): Promise<void> {
  const service = req.scope.resolve<BrandModuleService>(BRAND_MODULE);
  const [brands, count] = await service.listAndCountBrands({}, { order: { handle: 'ASC' } });
  res.json({ brands, count });
}

export async function POST(
  req: AuthenticatedMedusaRequest<NewBrand>,
  res: MedusaResponse,
): Promise<void> {
  const { result: brand } = await createBrandWorkflow(req.scope).run({ input: req.validatedBody });
  res.status(201).json({ brand });
}

countEvaluation('src/api/admin/brands/route.ts');
