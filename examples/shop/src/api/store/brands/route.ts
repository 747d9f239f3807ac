import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { ContainerRegistrationKeys } from '@medusajs/framework/utils';

export async function GET(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  const query = req.scope.resolve(ContainerRegistrationKeys.QUERY);
  const { data: brands } = await query.graph({
    entity: 'brand',
    fields: ['id', 'name', 'handle', 'country'],
    pagination: { order: { handle: 'ASC' } },
  });
  res.json({ brands });
}

countEvaluation('src/api/store/brands/route.ts');
