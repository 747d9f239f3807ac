import { countEvaluation } from '@lib/evaluations';
import type { AuthenticatedMedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { ContainerRegistrationKeys, Modules } from '@medusajs/framework/utils';
import { BRAND_MODULE } from '../../../../../../modules/brand';

export async function PUT(req: AuthenticatedMedusaRequest, res: MedusaResponse): Promise<void> {
  await req.scope.resolve(ContainerRegistrationKeys.LINK).create(linkOf(req));
  res.json({ linked: true });
}

export async function DELETE(req: AuthenticatedMedusaRequest, res: MedusaResponse): Promise<void> {
  await req.scope.resolve(ContainerRegistrationKeys.LINK).dismiss(linkOf(req));
  res.json({ linked: false });
}

function linkOf({ params }: AuthenticatedMedusaRequest) {
  return {
    [Modules.PRODUCT]: { product_id: params.product_id },
    [BRAND_MODULE]: { brand_id: params.id },
  };
}

countEvaluation('src/api/admin/brands/[id]/products/[product_id]/route.ts');
