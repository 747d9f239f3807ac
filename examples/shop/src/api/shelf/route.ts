import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { ContainerRegistrationKeys } from '@medusajs/framework/utils';

/** Every product with its brand, over the link of the two modules. */
export async function GET(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  const query = req.scope.resolve(ContainerRegistrationKeys.QUERY);
  const { data: products } = await query.graph({
    entity: 'product',
    fields: ['handle', 'title', 'brand.name', 'brand.handle'],
    pagination: { order: { handle: 'ASC' } },
  });
  res.json({ products });
}

countEvaluation('src/api/shelf/route.ts');
