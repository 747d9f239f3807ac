import type { MedusaPackages } from '../packages.ts';

interface Cleaned {
  schema: string;
}
type Clean = (text: string) => Cleaned;
interface GraphQL {
  mergeTypeDefs?(schema: string): unknown;
  makeExecutableSchema?(options: { typeDefs: unknown }): unknown;
}

/**
 * At each start Medusa makes one GraphQL schema of those of all modules, which takes an eighth of a restart, most
 * of it because nothing of the code for it has run yet. So a spare makes the schema that the running app has, and
 * throws it away, but for the first step: what becomes of a text there is always the same.
 * (`utils/dist/graphql`, called by `modules-sdk/dist/medusa-app.js`, 2.12.1 to 2.21.2)
 */
export class SchemaAhead {
  readonly #graphql: GraphQL;
  readonly #clean: Clean;
  /** Made ahead, and not asked for yet. */
  #made: { text: string; cleaned: Cleaned } | undefined;
  #text: string | undefined;

  constructor(packages: Pick<MedusaPackages, 'require' | 'assertReplaceable'>) {
    const path = 'dist/graphql/clean-graphql.js';
    const exports = packages.require('@medusajs/utils', path);
    packages.assertReplaceable(exports, 'cleanGraphQLSchema', `@medusajs/utils/${path}`);
    this.#graphql = packages.require('@medusajs/utils', 'dist/graphql/index.js');
    this.#clean = exports.cleanGraphQLSchema as Clean;
    exports.cleanGraphQLSchema = (text: string): Cleaned => {
      this.#text ??= text;
      const made = this.#made;
      this.#made = undefined;
      return made?.text === text ? made.cleaned : this.#clean(text);
    };
  }

  /** What this app has made its schema of; undefined until then. */
  get text(): string | undefined {
    return this.#text;
  }

  make(text: string): void {
    try {
      const cleaned = this.#clean(text);
      const typeDefs = this.#graphql.mergeTypeDefs?.(cleaned.schema);
      this.#graphql.makeExecutableSchema?.({ typeDefs });
      this.#made = { text, cleaned };
    } catch {
      // Whatever it was, the app will say it.
    }
  }
}
