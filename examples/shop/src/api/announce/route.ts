import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { Modules } from '@medusajs/framework/utils';
import type { BrandCreatedEvent } from '../../types/brand';
import type { Announcement } from '../validators';

/** Says once more that a brand was created. */
export async function POST(req: MedusaRequest<Announcement>, res: MedusaResponse): Promise<void> {
  await req.scope.resolve(Modules.EVENT_BUS).emit<BrandCreatedEvent>({
    name: 'brand.created',
    data: { id: req.validatedBody.brand_id },
  });
  res.status(202).json({ announced: req.validatedBody.brand_id });
}

countEvaluation('src/api/announce/route.ts');
