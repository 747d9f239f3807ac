import type { MedusaPackages } from '../packages.ts';
import type { JoinerConfig } from './module-list.ts';

interface GraphQL {
  cleanGraphQLSchema(schema: string): { schema: string };
  mergeTypeDefs(schema: string): unknown;
  makeExecutableSchema(options: { typeDefs: unknown }): { getTypeMap(): unknown };
  extractRelationsFromGQL(typeMap: unknown): unknown;
}

/**
 * The one GraphQL schema that Medusa makes of those of all modules.
 * (`modules-sdk/dist/medusa-app.js`, by `utils/dist/graphql`, 2.12.1 to 2.21.2)
 */
export class JoinedSchema {
  readonly #graphql: GraphQL;

  constructor(packages: MedusaPackages) {
    const graphql = packages.require('@medusajs/utils', 'dist/graphql/index.js');
    packages.assertMethods(graphql, '@medusajs/utils/dist/graphql', [
      'cleanGraphQLSchema',
      'mergeTypeDefs',
      'makeExecutableSchema',
      'extractRelationsFromGQL',
    ]);
    this.#graphql = graphql as unknown as GraphQL;
  }

  typeMapOf(configs: readonly (JoinerConfig | undefined)[]): unknown {
    const { cleanGraphQLSchema, mergeTypeDefs, makeExecutableSchema } = this.#graphql;
    const schemas = configs.map((config) => config?.schema ?? '');
    const { schema } = cleanGraphQLSchema(DEFAULT_SCHEMA + schemas.join('\n'));
    return makeExecutableSchema({ typeDefs: mergeTypeDefs(schema) }).getTypeMap();
  }

  relationsOf(typeMap: unknown): unknown {
    return this.#graphql.extractRelationsFromGQL(typeMap);
  }
}

/** What Medusa puts before the schemas of the modules. */
const DEFAULT_SCHEMA = `
    scalar DateTime
    scalar JSON
    directive @enumValue(value: String) on ENUM_VALUE
  `;
