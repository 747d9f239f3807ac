import { countEvaluation } from '@lib/evaluations';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { Modules } from '@medusajs/framework/utils';
import { makeSloganWorkflow } from '../../workflows/make-slogan/workflow';

/** Runs one workflow in the two ways there are: its export, and the engine by id. */
export async function GET(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  const input = { name: String(req.query.name ?? 'acme') };
  const direct = await makeSloganWorkflow(req.scope).run({ input });
  const engine = await req.scope.resolve(Modules.WORKFLOW_ENGINE).run('make-slogan', { input });
  res.json({ direct: direct.result, engine: engine.result });
}

countEvaluation('src/api/slogan/route.ts');
