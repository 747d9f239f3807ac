import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { MedusaError } from '@medusajs/framework/utils';

const PUBLIC_PREFIX = 'SHOP_';
const SECRET = /PASSWORD|SECRET/;

export function GET(req: MedusaRequest, res: MedusaResponse): void {
  const key = String(req.query.key ?? '');
  if (!key.startsWith(PUBLIC_PREFIX) || SECRET.test(key)) {
    throw new MedusaError(MedusaError.Types.NOT_ALLOWED, `\`${key}\` is not public.`);
  }
  res.json({ key, value: process.env[key] ?? null });
}

countEvaluation('src/api/env/route.ts');
