import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { ContainerRegistrationKeys, MedusaError } from '@medusajs/framework/utils';

export async function GET(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  const { handle } = req.params;
  const query = req.scope.resolve(ContainerRegistrationKeys.QUERY);
  const {
    data: [brand],
  } = await query.graph({
    entity: 'brand',
    fields: ['id', 'name', 'handle', 'country', 'products.title', 'products.handle'],
    filters: { handle },
  });
  if (!brand) {
    throw new MedusaError(MedusaError.Types.NOT_FOUND, `There is no brand \`${handle}\`.`);
  }
  res.json({ brand });
}

countEvaluation('src/api/store/brands/[handle]/route.ts');
