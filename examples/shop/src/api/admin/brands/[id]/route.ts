import { countEvaluation } from '@lib/evaluations';
import type { AuthenticatedMedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { ContainerRegistrationKeys } from '@medusajs/framework/utils';
import { BRAND_MODULE } from '../../../../modules/brand';
import type BrandModuleService from '../../../../modules/brand/service';
import type { BrandChange } from '../../../validators';

export async function GET(req: AuthenticatedMedusaRequest, res: MedusaResponse): Promise<void> {
  const service = req.scope.resolve<BrandModuleService>(BRAND_MODULE);
  res.json({ brand: await service.retrieveBrand(String(req.params.id)) });
}

export async function POST(
  req: AuthenticatedMedusaRequest<BrandChange>,
  res: MedusaResponse,
): Promise<void> {
  const service = req.scope.resolve<BrandModuleService>(BRAND_MODULE);
  const brand = await service.updateBrands({ id: String(req.params.id), ...req.validatedBody });
  res.json({ brand });
}

export async function DELETE(req: AuthenticatedMedusaRequest, res: MedusaResponse): Promise<void> {
  const id = String(req.params.id);
  await req.scope.resolve<BrandModuleService>(BRAND_MODULE).deleteBrands(id);
  await req.scope.resolve(ContainerRegistrationKeys.LINK).delete({ [BRAND_MODULE]: { id } });
  res.json({ id, object: 'brand', deleted: true });
}

countEvaluation('src/api/admin/brands/[id]/route.ts');
