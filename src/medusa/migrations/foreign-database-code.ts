/** How the guarded `medusa db:migrate` ends at a foreign database; no exit code of Node or Medusa. */
export const FOREIGN_DATABASE_CODE = 87;
