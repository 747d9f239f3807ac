import { readFileSync } from 'node:fs';
import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { GraphQLUtils } from '@medusajs/framework/utils';

const schema = GraphQLUtils.buildSchema(readFileSync('src/graphql/schema.graphql', 'utf8'));

export function GET(_req: MedusaRequest, res: MedusaResponse): void {
  res.json(Object.keys(schema.getQueryType()?.getFields() ?? {}));
}
